"""Tasks on fused images: labels and scores of detection and segmentation."""
