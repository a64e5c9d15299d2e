"""Makes SAM exports with random weights, and the answers that the models' own torch pipelines give.

    python make.py FOLDER [MODEL...]        models: mobile_sam, mobile_sam_quantized, sam_vit_b,
                                            sam2.1_hiera_tiny, hf_sam, hf_sam2

Nothing here has learnt anything, and the numbers must agree all the same. FOLDER/MODEL then holds
encoder.onnx, decoder.onnx and reference.json with the logits beside it; what is there is kept.
`make.sh` installs the packages.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")

import numpy as np
import torch
from PIL import Image

import hugging_face

torch.set_num_threads(1)
export = torch.onnx.export


def export_as_before(model, args, file, **options):
    """The exporters were written for the tracing exporter, and some hand over an open file."""
    options.setdefault("dynamo", False)
    return export(model, args, getattr(file, "name", file), **options)


torch.onnx.export = export_as_before


def picture(height, width, seed):
    """Coloured blobs with a little noise, RGB."""
    rng = np.random.default_rng(seed)
    blobs = Image.fromarray(rng.integers(0, 256, (9, 13, 3), dtype=np.uint8))
    smooth = np.asarray(blobs.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32)
    return np.clip(np.round(smooth + rng.normal(0, 8, smooth.shape)), 0, 255).astype(np.uint8)


PICTURES = {"landscape": picture(684, 1024, 7), "portrait": picture(800, 600, 8), "small": picture(150, 210, 9)}


@torch.no_grad()
def scatter(model):
    """Random weights that no two of are alike: a constant tensor would hide a mixed-up input."""
    torch.manual_seed(5)
    norms = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    for p in model.parameters():
        if p.numel() == 1 or bool((p == p.flatten()[0]).all()):
            p.add_(0.05 * torch.randn(p.shape))
    for m in model.modules():
        if isinstance(m, norms):
            m.momentum = 1.0
            m.train()
    return model


@torch.no_grad()
def settle(model, encoder):
    """One pass in training mode gives batch norms the statistics of a picture."""
    x = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(3))
    encoder(x)
    model.eval()
    return model


def first(name):
    """A SAM of Meta's package, or MobileSAM of the exporter's."""
    if name == "sam_vit_b":
        from segment_anything import sam_model_registry

        return sam_model_registry["vit_b"]()
    from samexporter.mobile_encoder.setup_mobile_sam import setup_model

    with contextlib.redirect_stdout(io.StringIO()):
        return setup_model()


def second(checkpoint):
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    import samexporter.export_sam2 as exporter

    GlobalHydra.instance().clear()
    configs = os.path.join(os.path.dirname(exporter.__file__), "sam2_configs")
    with initialize_config_dir(config_dir=configs, version_base="1.2"):
        return exporter.build_sam2(exporter.MODEL_CONFIGS["sam2.1_hiera_tiny"], checkpoint, device="cpu")


def run(module, *words):
    sys.argv = [module, *words]
    with contextlib.redirect_stdout(io.StringIO()):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


def make_first(name, folder):
    from segment_anything import SamPredictor

    model = scatter(first(name))
    settle(model, model.image_encoder)
    weights = f"{folder}/weights.pth"
    torch.save(model.state_dict(), weights)
    kind = {"sam_vit_b": "vit_b", "mobile_sam": "mobile"}[name]
    if name == "mobile_sam":
        # The exporter forgets .eval(), and its dummy picture then moves the batch norms.
        import samexporter.mobile_encoder.setup_mobile_sam as theirs

        plain = theirs.setup_model
        theirs.setup_model = lambda: plain().eval()
    common = ["--checkpoint", weights, "--model-type", kind]
    run("samexporter.export_encoder", *common, "--output", f"{folder}/encoder.onnx", "--use-preprocess")
    run("samexporter.export_decoder", *common, "--output", f"{folder}/decoder.onnx")
    os.remove(weights)
    predictor = SamPredictor(model)

    def ask(case, before):
        one = case["box"] is None and len(case["points"]) == 1
        masks, scores, low = predictor.predict(
            point_coords=np.array(case["points"], np.float32) if case["points"] else None,
            point_labels=np.array(case["labels"]) if case["points"] else None,
            box=np.array(case["box"]) if case["box"] else None,
            mask_input=before,
            multimask_output=one,
            return_logits=True,
        )
        best = int(np.argmax(scores))
        return masks[best], low[best], float(scores[best])

    return predictor.set_image, ask


def make_second(folder):
    from sam2.sam2_image_predictor import SAM2ImagePredictor

    model = settle_second(scatter(second(None)))
    weights = f"{folder}/weights.pth"
    torch.save({"model": model.state_dict()}, weights)
    run(
        "samexporter.export_sam2", "--checkpoint", weights, "--model_type", "sam2.1_hiera_tiny",
        "--output_encoder", f"{folder}/encoder.onnx", "--output_decoder", f"{folder}/decoder.onnx",
    )
    os.remove(weights)
    predictor = SAM2ImagePredictor(model)

    def ask(case, before):
        # The export has the three masks of a single click only.
        masks, scores, low = predictor.predict(
            point_coords=np.array(case["points"], np.float32) if case["points"] else None,
            point_labels=np.array(case["labels"]) if case["points"] else None,
            box=np.array(case["box"]) if case["box"] else None,
            mask_input=before,
            multimask_output=True,
            return_logits=True,
        )
        best = int(np.argmax(scores))
        return masks[best], low[best], float(scores[best])

    return predictor.set_image, ask


def make_quantized(folder):
    """MobileSAM's export with its weights in 8 bits; the reference is its own graphs in plain Python."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from segment_anything.modeling import Sam
    from segment_anything.utils.transforms import ResizeLongestSide
    from types import SimpleNamespace

    whole = os.path.join(os.path.dirname(folder), "mobile_sam")
    if not os.path.exists(f"{whole}/reference.json"):
        raise SystemExit("make mobile_sam first: the quantised one is made of it")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1

    def session(part):
        quantize_dynamic(f"{whole}/{part}.onnx", f"{folder}/{part}.onnx", weight_type=QuantType.QUInt8)
        return onnxruntime.InferenceSession(f"{folder}/{part}.onnx", options, ["CPUExecutionProvider"])

    encoder, decoder = session("encoder"), session("decoder")
    frame, now = ResizeLongestSide(1024), {}

    def set_image(pixels):
        now["size"], small = pixels.shape[:2], frame.apply_image(pixels)
        now["scaled"] = small.shape[:2]
        now["embedding"] = encoder.run(None, {"input_image": small.astype(np.float32)})[0]

    def ask(case, before):
        points = np.array(case["points"], np.float32).reshape(-1, 2)
        labels = np.array(case["labels"], np.float32)
        corners = np.array(case["box"], np.float32).reshape(2, 2) if case["box"] else np.zeros((1, 2), np.float32)
        coords = frame.apply_coords(np.concatenate([points, corners]), now["size"])
        if not case["box"]:
            coords[-1] = 0
        told = [labels, np.array([2, 3] if case["box"] else [-1], np.float32)]
        _, scores, low = decoder.run(["masks", "iou_predictions", "low_res_masks"], {
            "image_embeddings": now["embedding"],
            "point_coords": coords[None].astype(np.float32),
            "point_labels": np.concatenate(told)[None],
            "mask_input": (np.zeros((1, 256, 256), np.float32) if before is None else before)[None],
            "has_mask_input": np.array([before is not None], np.float32),
            "orig_im_size": np.array(now["size"], np.float32),
        })
        one = case["box"] is None and len(case["points"]) == 1
        best = 1 + int(np.argmax(scores[0, 1:])) if one and scores.shape[1] == 4 else int(np.argmax(scores[0]))
        best = best if one or scores.shape[1] != 4 else 0
        sizes = SimpleNamespace(image_encoder=SimpleNamespace(img_size=1024))
        logits = Sam.postprocess_masks(sizes, torch.from_numpy(low), now["scaled"], now["size"])
        return logits[0, best].numpy(), low[0, best], float(scores[0, best])

    return set_image, ask


def settle_second(model):
    return settle(model, model.image_encoder)


def cases(width, height):
    at = lambda x, y: [round(width * x), round(height * y)]
    box = at(0.2, 0.25) + at(0.75, 0.8)
    inside, outside, more = at(0.43, 0.55), at(0.7, 0.2), at(0.3, 0.4)
    case = lambda name, points, labels, box=None, refines=None: dict(
        name=name, points=points, labels=labels, box=box, refines=refines
    )
    return [
        case("click", [inside], [1]),
        case("clicks", [inside, outside, more], [1, 0, 1]),
        case("box", [], [], box),
        case("box and clicks", [inside, outside], [1, 0], box),
        case("refined click", [inside, outside], [1, 0], None, "click"),
        case("refined box", [outside], [0], box, "box"),
    ]


def reference(folder, set_image, ask):
    told = []
    for picture_name, pixels in PICTURES.items():
        Image.fromarray(pixels).save(f"{folder}/{picture_name}.png")
        height, width = pixels.shape[:2]
        set_image(pixels)
        low = {}
        for n, case in enumerate(cases(width, height)):
            before = low[case["refines"]][None] if case["refines"] in low else None
            answer = ask(case, before)
            if answer is None:
                continue
            logits, low[case["name"]], score = answer
            file = f"{picture_name}-{n}.f32"
            np.ascontiguousarray(logits, dtype="<f4").tofile(f"{folder}/{file}")
            told.append(dict(case, picture=f"{picture_name}.png", logits=file, score=score))
    with open(f"{folder}/reference.json", "w") as out:
        json.dump(told, out, indent=1)


def make(name, folder):
    if name in hugging_face.MODELS:
        return hugging_face.make(name, folder)
    if name == "mobile_sam_quantized":
        return make_quantized(folder)
    return make_second(folder) if name.startswith("sam2") else make_first(name, folder)


def main():
    out, names = sys.argv[1], sys.argv[2:] or ["mobile_sam", "mobile_sam_quantized", "sam2.1_hiera_tiny", "sam_vit_b", *hugging_face.MODELS]
    for name in names:
        folder = os.path.abspath(f"{out}/{name}")
        if os.path.exists(f"{folder}/reference.json"):
            print(f"{name}: there already")
            continue
        os.makedirs(folder, exist_ok=True)
        with torch.no_grad():
            reference(folder, *make(name, folder))
        print(f"{name}: made", flush=True)


main()
