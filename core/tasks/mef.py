"""Multi-exposure fusion of an under- and an over-exposed image."""

from core.messages import Message
from core.tasks.spec import RELEASE, ColourPolicy, LossWeights, TaskSpec, words

MEF = TaskSpec(
    name="mef",
    title=Message("Exposure"),
    description=Message("an under- with an over-exposed frame"),
    label_a=Message("Under-exposed"),
    label_b=Message("Over-exposed"),
    colour=ColourPolicy("luma", "both"),
    losses=LossWeights(
        20,
        20,
        ssim=10,
        reconstruction=5,
        intensity_target="mean",
        ssim_weighting="equal",
        source=RELEASE,
    ),
    default_baseline="mertens",
    hints_a=("under", "ue", "dark", "low"),
    hints_b=("over", "oe", "bright", "high"),
    stems_a=("underexp", "unterbelicht"),
    stems_b=("overexp", "überbelicht", "ueberbelicht"),
    only_together_a=("short", "dunkel", "kurz"),
    only_together_b=("long", "light", "hell", "lang"),
    contexts=words(
        "mef exposure exposures multiexposure bracketing mefb sice hdr belichtung "
        "belichtungen belichtungsreihe"
    ),
    one_camera=True,
    exposure_series=True,
    photographs=("a", "b"),
    icon="brightness-6",
)
