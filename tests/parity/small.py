"""Makes the small graphs in tests/data/sam: one encoder and one decoder for each SAM family, with
the names, types and shapes of the real exports.

    python small.py ../data/sam

They segment by colour: the encoder brings red back to 0..1 and averages it over 16 x 16 pixels, the
decoder takes the cells whose red is near that of the place it is pointed at. So a picture that is
laid out, normalised or pointed at wrongly gives a wrong mask.
"""

import os
import sys

import numpy as np
from onnx import TensorProto as T, checker, external_data_helper, helper, numpy_helper, save

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
NEAR = [0.12, 0.13, 0.08, 0.11]  # how near the red must be, for each mask
SCORES = [0.5, 0.9, 0.7, 0.8]


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def const(self, value, dtype=np.float32):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def ints(self, *value):
        return self.const(value, np.int64)

    def op(self, kind, *inputs, out=None, **options):
        self.count += 1
        out = out or f"t{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **options))
        return out

    def cast(self, x, to=T.FLOAT, out=None):
        return self.op("Cast", x, to=to, out=out)

    def dimension(self, x, axis):
        return self.op("Gather", self.op("Shape", x), self.ints(axis), axis=0)

    def save(self, file, inputs, outputs, apart=None):
        port = lambda p: helper.make_tensor_value_info(*p)
        graph = helper.make_graph(
            self.nodes, "small", [port(p) for p in inputs], [port(p) for p in outputs], self.constants
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
        checker.check_model(model, full_check=False)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        if apart:
            if os.path.exists(f"{os.path.dirname(file)}/{apart}"):
                os.remove(f"{os.path.dirname(file)}/{apart}")
            # Numbers that shapes depend on must stay in the file itself.
            for weight in model.graph.initializer:
                if weight.data_type == T.FLOAT:
                    external_data_helper.set_external_data(weight, apart)
        save(model, file)
        print(file, os.path.getsize(file))


def red(g, x, values):
    """The red plane, 0..1, of [1, 3, H, W]."""
    plane = g.op("Slice", x, g.ints(0), g.ints(1), g.ints(1))
    if values == "net":
        plane = g.op("Add", g.op("Mul", plane, g.const(STD[0])), g.const(MEAN[0]))
    return plane if values == "unit" else g.op("Div", plane, g.const(255.0))


def averaged(g, plane, cells, pads):
    """[1, 1, cells, cells]; of a picture that is no square the rest is padded with -1."""
    if pads:
        height, width = g.dimension(plane, 2), g.dimension(plane, 3)
        side = g.op("Max", height, width)
        ends = [g.op("Sub", side, height), g.op("Sub", side, width)]
        plane = g.op("Pad", plane, g.op("Concat", g.ints(0, 0, 0, 0, 0, 0), *ends, axis=0), g.const(-1.0))
    return g.op("Resize", plane, "", "", g.ints(1, 1, cells, cells), mode="linear", antialias=1)


def encoder(
    folder, name, shape, outputs, dtype=T.FLOAT, layout="chw", values="net", pads=False, cells=64, apart=None,
    made=T.FLOAT,
):
    """`outputs`: name and shape of each, of type `made`; the one of 256 channels holds the red."""
    g = Graph()
    x = g.cast(name) if dtype != T.FLOAT else name
    if layout == "hwc":
        x = g.op("Unsqueeze", g.op("Transpose", x, perm=[2, 0, 1]), g.ints(0))
    cell = averaged(g, red(g, x, values), cells, pads)
    cell = g.cast(cell, made) if made != T.FLOAT else cell
    for output, size in outputs:
        if size[-1] == cells and size[1] == 256:
            g.op("Expand", cell, g.ints(*size), out=output)
        else:
            mean = g.op("ReduceMean", cell, keepdims=1)
            g.op("Expand", g.op("Reshape", mean, g.ints(*[1] * len(size))), g.ints(*size), out=output)
    g.save(f"{folder}/encoder.onnx", [(name, dtype, shape)], [(n, made, s) for n, s in outputs], apart)


def decoder(
    folder, embeddings, points="point_coords", labels="point_labels", label_type=T.FLOAT, rank=3,
    boxes=None, feedback=None, size=None, size_type=T.FLOAT, masks=4, outputs=None, cells=64, given=False,
    taken=T.FLOAT,
):
    """`outputs`: names of scores, masks at the size asked for, small masks; None for none. The embeddings are of
    type `taken`."""
    g = Graph()
    image = next(n for n, s in embeddings if s[-1] == cells and s[1] == 256)
    plane = g.op("Slice", image, g.ints(0), g.ints(1), g.ints(1))
    plane = g.cast(plane) if taken != T.FLOAT else plane
    flat = g.op("Reshape", points, g.ints(-1, 2))
    label = g.op("Reshape", g.cast(labels) if label_type != T.FLOAT else labels, g.ints(-1, 1))
    counts = g.cast(g.op("Greater", label, g.const(0.5)))
    total = g.op("ReduceSum", g.op("Mul", flat, counts), g.ints(0), keepdims=0)
    count = g.op("ReduceSum", counts, g.ints(0), keepdims=0)
    if boxes:
        corners = g.op("Reshape", boxes, g.ints(-1, 2))
        total = g.op("Add", total, g.op("ReduceSum", corners, g.ints(0), keepdims=0))
        count = g.op("Add", count, g.cast(g.dimension(corners, 0)))
    seed = g.op("Div", total, count)
    # Middles of the cells, in the frame's units.
    line = g.op("Range", g.const(0.5), g.const(cells + 0.5), g.const(1.0))
    if given:
        unit = g.op("Div", g.cast(size), g.const(float(cells)))
        down, across = (g.op("Gather", unit, g.const(i, np.int64), axis=0) for i in (0, 1))
    else:
        down = across = g.const(16.0)
    near = None
    for axis, unit, shape in ((0, across, (1, -1)), (1, down, (-1, 1))):
        at = g.op("Reshape", g.op("Mul", line, unit), g.ints(*shape))
        off = g.op("Div", g.op("Sub", at, g.op("Gather", seed, g.const(axis, np.int64), axis=0)), unit)
        off = g.op("Mul", off, off)
        near = g.op("Add", near, off) if near else off
    weight = g.op("Exp", g.op("Neg", near))
    weight = g.op("Div", weight, g.op("ReduceSum", weight, keepdims=1))
    value = g.op("ReduceSum", g.op("Mul", g.op("Reshape", plane, g.ints(cells, cells)), weight), keepdims=0)
    far = g.op("Abs", g.op("Sub", plane, value))
    logits = g.op("Sub", g.const(np.reshape(NEAR[-masks:], (1, masks, 1, 1))), far)
    small = g.op("Resize", logits, "", "", g.ints(1, masks, 4 * cells, 4 * cells), mode="linear")
    if feedback:
        # What was outside before stays outside.
        before = g.op("Reshape", feedback[0], g.ints(1, 1, 4 * cells, 4 * cells))
        flag = g.op("Greater", g.op("Reshape", feedback[1], g.ints(1, 1, 1, 1)), g.const(0.5))
        small = g.op("Where", flag, g.op("Min", small, before), small)
    scores, full, low = outputs
    lead = [1] * (rank - 3)
    score_shape, small_shape = lead + [1, masks], lead + [1, masks, 4 * cells, 4 * cells]
    g.op("Identity", g.const(np.reshape(SCORES[-masks:], score_shape)), out=scores[0])
    declared = [(scores[0], T.FLOAT, score_shape)]
    if full:
        wanted = g.cast(g.op("Reshape", size, g.ints(2)), T.INT64)
        large = g.op("Resize", small, "", "", g.op("Concat", g.ints(1, masks), wanted, axis=0), mode="linear")
        shape = lead + [1, masks, None, None]
        if full[1] == T.BOOL:
            g.op("Greater", large, g.const(0.0), out=full[0])
        else:
            g.op("Unsqueeze" if lead else "Identity", *([large, g.ints(0)] if lead else [large]), out=full[0])
        declared.append((full[0], full[1], shape))
    if low:
        g.op("Reshape", small, g.ints(*small_shape), out=low[0])
        declared.append((low[0], T.FLOAT, small_shape))
    order = [o[0] for o in (outputs if scores[1] == 0 else (full or low, scores, low if full else None)) if o]
    declared.sort(key=lambda p: order.index(p[0]))
    lead = [1] * (rank - 2)
    inputs = [(n, taken, s) for n, s in embeddings]
    inputs += [(points, T.FLOAT, lead + ["points", 2]), (labels, label_type, lead + ["points"])]
    if boxes:
        inputs.append((boxes, T.FLOAT, [1, "boxes", 4]))
    if feedback:
        inputs += [(feedback[0], T.FLOAT, [1, 1, 4 * cells, 4 * cells]), (feedback[1], T.FLOAT, [1])]
    if size:
        inputs.append((size, size_type, [2]))
    g.save(f"{folder}/decoder.onnx", inputs, declared)


EMBEDDING = [1, 256, 64, 64]
FED = ("mask_input", "has_mask_input")
USUAL = dict(feedback=FED, size="orig_im_size", outputs=(("iou_predictions", 1), ("masks", T.FLOAT), ("low_res_masks",)))
SQUARE = [1, 3, 1024, 1024]
FREE = ["image_height", "image_width", 3]


def main(out):
    one = [("image_embeddings", EMBEDDING)]
    encoder(f"{out}/sam", "input_image", FREE, one, layout="hwc", values="bytes", pads=True)
    decoder(f"{out}/sam", one, **USUAL)
    encoder(f"{out}/sam-chw", "input_image", SQUARE, one)
    decoder(f"{out}/sam-chw", one, masks=1, **USUAL)
    encoder(f"{out}/sam-labelme", "x", SQUARE, [("embedding", EMBEDDING)])
    decoder(f"{out}/sam-labelme", one, masks=1, **USUAL)
    encoder(f"{out}/sam-apart", "x", SQUARE, one, apart="encoder.weights")
    decoder(f"{out}/sam-apart", one, masks=1, **USUAL)
    encoder(f"{out}/sam-half", "x", SQUARE, one, T.FLOAT16, made=T.FLOAT16)
    decoder(f"{out}/sam-half", one, masks=1, taken=T.FLOAT16, **USUAL)
    several = [(f"interm_{i}", [1, 64, 64, 768]) for i in range(4)]
    encoder(f"{out}/sam-hq", "input_image", FREE, one + several, layout="hwc", values="bytes", pads=True)
    decoder(f"{out}/sam-hq", one + [("interm_embeddings", [4, 1, 64, 64, 768])], masks=1, **USUAL)
    small = dict(outputs=(("iou_predictions", 1), None, ("masks",)))
    encoder(f"{out}/efficientvit-sam", "input_image", FREE, one, T.UINT8, layout="hwc", values="bytes", pads=True)
    decoder(f"{out}/efficientvit-sam", one, masks=3, **small)
    encoder(f"{out}/edge-sam", "image", SQUARE, one)
    decoder(f"{out}/edge-sam", one, outputs=(("scores", 0), None, ("masks",)))
    encoder(f"{out}/edge-sam-u8", "input_image", [1, 3, "h", "w"], one, T.UINT8, values="bytes", pads=True)
    decoder(f"{out}/edge-sam-u8", one, outputs=(("scores", 0), None, ("masks",)))
    encoder(f"{out}/efficient-sam", "batched_images", ["b", 3, "h", "w"], one, values="unit")
    decoder(
        f"{out}/efficient-sam", one, "batched_point_coords", "batched_point_labels", rank=4, size="orig_im_size",
        size_type=T.INT64, masks=3, given=True,
        outputs=(("iou_predictions", 1), ("output_masks", T.FLOAT), ("onnx::Shape_1829",)),
    )
    fine = [("high_res_feats_0", [1, 32, 256, 256]), ("high_res_feats_1", [1, 64, 128, 128])]
    embed = [("image_embed", EMBEDDING)]
    encoder(f"{out}/sam2", "image", SQUARE, fine + embed)
    decoder(f"{out}/sam2", embed + fine, feedback=FED, masks=3, **small)
    fine = [("high_res_features1", fine[0][1]), ("high_res_features2", fine[1][1])]
    encoder(f"{out}/sam2-rectlabel", "input", SQUARE, one + fine)
    decoder(f"{out}/sam2-rectlabel", one + fine, **{**USUAL, "size_type": T.INT64})
    fine = [("image_features_0", fine[0][1]), ("image_features_1", fine[1][1])]
    encoder(f"{out}/sam2-runtime", "image", SQUARE, fine + one)
    decoder(
        f"{out}/sam2-runtime", fine + one, label_type=T.INT32, feedback=("input_masks", "has_input_masks"),
        size="original_image_size", size_type=T.INT32, masks=3,
        outputs=(("iou_predictions", 1), ("masks", T.BOOL), ("low_res_masks",)),
    )
    hugging = dict(
        points="input_points", labels="input_labels", label_type=T.INT64, rank=4, masks=3,
        outputs=(("iou_scores", 0), None, ("pred_masks",)),
    )
    two = one + [("image_positional_embeddings", EMBEDDING)]
    encoder(f"{out}/sam-hugging-face", "pixel_values", SQUARE, two)
    decoder(f"{out}/sam-hugging-face", two, **hugging)
    three = [(f"image_embeddings.{i}", s) for i, s in enumerate((fine[0][1], fine[1][1], EMBEDDING))]
    encoder(f"{out}/sam2-hugging-face", "pixel_values", SQUARE, three)
    decoder(f"{out}/sam2-hugging-face", three, boxes="input_boxes", **hugging)
    tiny = [("image_embeddings", [1, 256, 16, 16])]
    encoder(f"{out}/sam-med2d", "image", [1, 3, 256, 256], tiny, cells=16)
    decoder(f"{out}/sam-med2d", tiny, masks=1, cells=16, **USUAL)


main(sys.argv[1])
