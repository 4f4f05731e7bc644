"""Medical image fusion: PET, SPECT or CT with MRI."""

from core.messages import Message
from core.tasks.spec import RELEASE, ColourPolicy, LossWeights, TaskSpec

MIF = TaskSpec(
    name="mif",
    title=Message("Medical"),
    description=Message("PET, SPECT or CT with MRI"),
    label_a=Message("PET / SPECT / CT"),
    label_b=Message("MRI"),
    colour=ColourPolicy("luma", "a"),
    losses=LossWeights(
        20,
        100,
        ssim=50,
        reconstruction=20,
        intensity_target="max",
        ssim_weighting="equal",
        source=RELEASE,
    ),
    default_baseline="laplacian",
    hints_a=("pet", "spect", "ct", "nm", "pt", "fdg"),
    hints_b=("mri", "mr", "mrt", "t1", "t2", "t1w", "t2w", "t1c", "t1ce", "flair", "dwi"),
    medical=True,
    contexts=("mif", "medical", "harvard", "havard", "aanlib", "medizin", "medizinisch"),
    icon="brain",
)
