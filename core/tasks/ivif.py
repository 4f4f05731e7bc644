"""Infrared and visible image fusion."""

from core.messages import Message
from core.tasks.spec import RELEASE, ColourPolicy, LossWeights, TaskSpec, words

IVIF = TaskSpec(
    name="ivif",
    title=Message("Infrared / visible"),
    description=Message("thermal infrared with a visible-light picture"),
    label_a=Message("Infrared"),
    label_b=Message("Visible"),
    colour=ColourPolicy("luma", "b"),
    losses=LossWeights(
        20,
        20,
        ssim=10,
        reconstruction=5,
        intensity_target="max",
        ssim_weighting="gradient",
        source=RELEASE,
    ),
    default_baseline="laplacian",
    hints_a=words("ir irx infrared thermal lwir mwir swir nir fir tir wärmebild waermebild"),
    hints_b=("vis", "vi", "visible", "rgb"),
    stems_a=("infrar", "thermal", "thermo", "wärmebild", "waermebild"),
    stems_b=("visib", "sichtbar"),
    # Camera files start with T, W, Z and V; DroneVehicle has trainimg/ and trainimgr/.
    only_together_a=("t", "i", "th", "previewdata", "trainimgr", "valimgr", "testimgr", "imgr"),
    only_together_b=words(
        "w z v co eo color colour optical visual day trainimg valimg testimg img"
    ),
    contexts=words(
        "ivif ivf vif m3fd tno roadscene msrs llvip kaist flir vifb vt5000 vt1000 vt821 "
        "dronevehicle mfnet vedai"
    ),
    photographs=("b",),
    icon="thermometer",
)
