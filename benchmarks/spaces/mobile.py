"""Inverted residual blocks, of which mobile spaces are made.

Paper: Sandler et al., "MobileNetV2", CVPR 2018, arXiv:1801.04381, section 3.3; squeeze-and-excitation as in MnasNet
    (Tan et al., CVPR 2019, arXiv:1807.11626), after the depthwise convolution; its hard sigmoid as in MobileNetV3
    (Howard et al., ICCV 2019, arXiv:1905.02244, section 5.2).
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
    hidden: int | None = None,
    gate: str = "sigmoid",
    inner: str = "",
    skip: bool = True,
) -> int:
    """1x1 convolution to ``expansion`` times the inputs (not with 1), depthwise, 1x1 convolution to the outputs.

    The input is added where stride and channels keep its shape, unless ``skip`` is false. squeeze: channels between
    the two 1x1 convolutions of `excited`; 0: none. affine: whether normalizations have a scale and a shift. hidden:
    channels in place of ``expansion`` times the inputs. inner: the activation between the convolutions of `excited`;
    empty: ``function``.
    """
    wide = expansion * inputs if hidden is None else hidden
    active: Step = ("activation", {"function": function})
    norm: Step = NORMALIZED if affine else ("batch_norm", {"affine": False})
    y = x
    if wide != inputs:
        y = draft.chain(f"{name}.expand", y, ("conv", {"channels": wide}), norm, active)
    depthwise = {"channels": wide, "kernel": kernel, "stride": stride, "groups": wide}
    y = draft.chain(f"{name}.depthwise", y, ("conv", depthwise), norm, active)
    if squeeze:
        y = excited(draft, name, y, wide, squeeze, inner or function, gate)
    y = draft.chain(f"{name}.project", y, ("conv", {"channels": outputs}), norm)
    return draft.add(f"{name}.sum", "add", y, x) if skip and stride == 1 and inputs == outputs else y


def excited(draft: Draft, name: str, y: int, channels: int, squeeze: int, inner: str, gate: str = "sigmoid") -> int:
    """Squeeze-and-excitation: channels weighted by their means after two 1x1 convolutions (with bias) and a gate."""
    weights = draft.chain(
        f"{name}.squeeze",
        y,
        ("global_pool", {}),
        ("conv", {"channels": squeeze, "bias": True}),
        ("activation", {"function": inner}),
        ("conv", {"channels": channels, "bias": True}),
        ("activation", {"function": gate}),
    )
    return draft.add(f"{name}.excite", "multiply", y, weights)
