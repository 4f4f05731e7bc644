"""PET, SPECT or CT with MRI."""

from core.tasks.spec import RELEASE, ColourPolicy, LossWeights, TaskSpec

MIF = TaskSpec(
    name="mif",
    title="Medical",
    description="PET, SPECT or CT with MRI",
    label_a="PET / SPECT / CT",
    label_b="MRI",
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
