"""Hugging Face's SAM and SAM 2, small and with random weights, exported under the names that their
ONNX exports have, and what their own pipelines answer."""

import numpy as np
import torch
from torch import nn

MODELS = ("hf_sam", "hf_sam2")


@torch.no_grad()
def stir(model):
    """The library's own first weights are so small that every logit would be the same."""
    torch.manual_seed(6)
    for module in model.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    for parameter in model.parameters():
        parameter.add_(0.05 * torch.randn(parameter.shape))
    return model.eval()


def first():
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    vision = dict(hidden_size=96, num_hidden_layers=2, num_attention_heads=3, mlp_dim=192, global_attn_indexes=[1])
    return stir(SamModel(SamConfig(vision_config=vision))), SamProcessor(SamImageProcessor())


def second():
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor

    return stir(Sam2Model(Sam2Config())), Sam2Processor(Sam2ImageProcessor())


class FirstEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        embeddings = self.model.vision_encoder(pixel_values).last_hidden_state
        return embeddings, self.model.get_image_wide_positional_embeddings()


class FirstDecoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image_embeddings, image_positional_embeddings, input_points, input_labels):
        sparse, dense = self.model.prompt_encoder(input_points, input_labels, None, None)
        masks, scores = self.model.mask_decoder(
            image_embeddings=image_embeddings,
            image_positional_embeddings=image_positional_embeddings,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )[:2]
        return scores, masks


class SecondEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return tuple(self.model.get_image_embeddings(pixel_values))


class SecondDecoder(nn.Module):
    """Any number of points and boxes, none included: the padding point comes last in each case."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_points, input_labels, input_boxes, fine, middle, coarse):
        prompts = self.model.prompt_encoder
        points = prompts._embed_points(input_points, input_labels, pad=False)
        size = (prompts.input_image_size, prompts.input_image_size)
        corners = prompts.shared_embedding(input_boxes.reshape(1, 1, -1, 2) + 0.5, size)
        kinds = prompts.point_embed.weight[2:4].reshape(1, 1, 1, 2, -1)
        corners = (corners.reshape(1, 1, -1, 2, corners.shape[-1]) + kinds).reshape(1, 1, -1, corners.shape[-1])
        padding = prompts.not_a_point_embed.weight.reshape(1, 1, 1, -1)
        dense = prompts.no_mask_embed.weight.reshape(1, -1, 1, 1).expand(1, -1, *prompts.image_embedding_size)
        masks, scores = self.model.mask_decoder(
            image_embeddings=coarse,
            image_positional_embeddings=self.model.get_image_wide_positional_embeddings(),
            sparse_prompt_embeddings=torch.cat([points, corners, padding], dim=2),
            dense_prompt_embeddings=dense,
            multimask_output=True,
            high_resolution_features=[fine, middle],
        )[:2]
        return scores, masks


def export(module, args, file, inputs, outputs, free):
    torch.onnx.export(
        module, args, file, input_names=inputs, output_names=outputs, dynamic_axes=free, opset_version=18, dynamo=False
    )


def make(name, folder):
    """Exports the model into the folder; gives what reads a picture and what answers a case."""
    is_first = name == "hf_sam"
    model, processor = first() if is_first else second()
    pixels = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(3))
    points, labels = torch.rand(1, 1, 2, 2) * 900, torch.ones(1, 1, 2, dtype=torch.int64)
    free = {"input_points": {2: "points"}, "input_labels": {2: "points"}}
    if is_first:
        # As Optimum exports it: any number of prompts at once.
        for axes in free.values():
            axes[1] = "prompts"
    answers = ["iou_scores", "pred_masks"]
    if is_first:
        names = ["image_embeddings", "image_positional_embeddings"]
        made = FirstEncoder(model)(pixels)
        export(FirstEncoder(model), (pixels,), f"{folder}/encoder.onnx", ["pixel_values"], names, {})
        inputs = [*names, "input_points", "input_labels"]
        export(FirstDecoder(model), (*made, points, labels), f"{folder}/decoder.onnx", inputs, answers, free)
    else:
        names = [f"image_embeddings.{i}" for i in range(3)]
        made = SecondEncoder(model)(pixels)
        export(SecondEncoder(model), (pixels,), f"{folder}/encoder.onnx", ["pixel_values"], names, {})
        free["input_boxes"] = {1: "boxes"}
        inputs = ["input_points", "input_labels", "input_boxes", *names]
        boxes = torch.tensor([[[10.0, 20.0, 600.0, 700.0]]])
        export(SecondDecoder(model), (points, labels, boxes, *made), f"{folder}/decoder.onnx", inputs, answers, free)
    picture = None

    def set_image(given):
        nonlocal picture
        picture = given

    def ask(case, before):
        if case["refines"] or (is_first and case["box"]):
            return None  # the export has no input for it
        prompt = {}
        if case["points"]:
            prompt = dict(input_points=[[case["points"]]], input_labels=[[case["labels"]]])
        if case["box"]:
            prompt["input_boxes"] = [[case["box"]]]
        inputs = processor(images=picture, return_tensors="pt", **prompt)
        sizes = inputs.pop("original_sizes")
        reshaped = inputs.pop("reshaped_input_sizes", None)
        given = model(**{k: v.float() if v.is_floating_point() else v for k, v in inputs.items()})
        more = [reshaped] if is_first else []
        masks = processor.post_process_masks(given.pred_masks, sizes, *more, binarize=False)[0][0]
        scores = given.iou_scores[0, 0]
        best = int(scores.argmax())
        return masks[best].numpy(), given.pred_masks[0, 0, best].numpy(), float(scores[best])

    return set_image, ask
