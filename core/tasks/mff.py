"""Multi-focus fusion of a near- and a far-focused image."""

from core.messages import Message
from core.tasks.spec import RELEASE, ColourPolicy, LossWeights, TaskSpec, words

MFF = TaskSpec(
    name="mff",
    title=Message("Focus"),
    description=Message("a near- with a far-focused frame"),
    label_a=Message("Near focus"),
    label_b=Message("Far focus"),
    colour=ColourPolicy("luma", "nearest"),
    losses=LossWeights(
        20,
        20,
        ssim=10,
        reconstruction=10,
        intensity_target="mean",
        ssim_weighting="gradient",
        source=RELEASE,
    ),
    default_baseline="guided",
    hints_a=("near", "fg", "foreground"),
    hints_b=("far", "bg", "background"),
    stems_a=("nearfoc", "focusnear", "foreground", "vordergrund"),
    stems_b=("farfoc", "focusfar", "background", "hintergrund"),
    only_together_a=("front", "fore", "close", "nah", "n"),
    only_together_b=("back", "rear", "distant", "fern", "f"),
    contexts=words("mff focus multifocus fokus lytro mffw mfif mfifb mfiwhu whu"),
    one_camera=True,
    photographs=("a", "b"),
    icon="image-filter-center-focus",
)
