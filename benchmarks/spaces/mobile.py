"""Inverted residual blocks, of which mobile spaces are made.

Paper: Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381, section 3.3; squeeze-and-excitation as in MnasNet
    (Tan et al., CVPR 2019, arXiv:1807.11626), after the depthwise convolution.
"""

from __future__ import annotations

from nassim.network import NORMALIZED, Draft, Step


def inverted_residual(
    draft: Draft,
    name: str,
    x: int,
    inputs: int,
    outputs: int,
    *,
    expansion: int,
    kernel: int,
    stride: int = 1,
    squeeze: int = 0,
    function: str = "relu",
    affine: bool = True,
) -> int:
    """1x1 convolution to ``expansion`` times the inputs (not with 1), depthwise, 1x1 convolution to the outputs.

    The input is added where stride and channels keep its shape. squeeze: channels between the two 1x1 convolutions
    (with bias) that weight the depthwise convolution's channels by their means; 0: none. affine: whether normalizations
    have a scale and a shift.
    """
    hidden = expansion * inputs
    active: Step = ("activation", {"function": function})
    norm: Step = NORMALIZED if affine else ("batch_norm", {"affine": False})
    y = x
    if expansion != 1:
        y = draft.chain(f"{name}.expand", y, ("conv", {"channels": hidden}), norm, active)
    depthwise = {"channels": hidden, "kernel": kernel, "stride": stride, "groups": hidden}
    y = draft.chain(f"{name}.depthwise", y, ("conv", depthwise), norm, active)
    if squeeze:
        weights = draft.chain(
            f"{name}.squeeze",
            y,
            ("global_pool", {}),
            ("conv", {"channels": squeeze, "bias": True}),
            active,
            ("conv", {"channels": hidden, "bias": True}),
            ("activation", {"function": "sigmoid"}),
        )
        y = draft.add(f"{name}.excite", "multiply", y, weights)
    y = draft.chain(f"{name}.project", y, ("conv", {"channels": outputs}), norm)
    return draft.add(f"{name}.sum", "add", y, x) if stride == 1 and inputs == outputs else y
