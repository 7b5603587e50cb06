#!/usr/bin/env python3
"""Makes what the subjects read from one file of weights: images, the reference's embeddings, and the same model as
ONNX, quantised by ONNX Runtime, and quantised by NNCF for OpenVINO. Nothing of it is timed.

    prepare.py FOLDER SIZE [RIVAL...]       FOLDER/model.safetensors is there
"""

import pathlib
import sys

import images
import numpy as np
import torch
from model import VisionTransformer

IMAGES, CALIBRATION_IMAGES = 32, 24


def export(model, example, path):
    torch.onnx.export(
        model, (example,), path, input_names=["images"], output_names=["vectors"], opset_version=17, dynamo=False,
        dynamic_axes={"images": {0: "count"}, "vectors": {0: "count"}})


def quantize_for_onnxruntime(folder):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        folder / "float32.onnx", folder / "int8.onnx", weight_type=QuantType.QInt8, per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"])


def quantize_for_openvino(folder, calibration):
    import nncf
    import openvino

    model = openvino.Core().read_model(folder / "float32.onnx")
    quantized = nncf.quantize(
        model, nncf.Dataset([calibration[i:i + 1] for i in range(len(calibration))]),
        model_type=nncf.ModelType.TRANSFORMER, subset_size=len(calibration))
    openvino.save_model(quantized, folder / "int8.xml", compress_to_fp16=False)


def main():
    folder, size, rivals = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    model = VisionTransformer(folder / "model.safetensors")
    inputs = model.patch_embed["proj"].in_channels
    pictures = images.make(IMAGES, inputs, size, seed=1)
    np.save(folder / "images.npy", pictures)
    with torch.inference_mode():
        vectors = [model(batch) for batch in torch.from_numpy(pictures).split(8)]
    np.save(folder / "reference.npy", torch.cat(vectors).numpy())
    if "onnxruntime" in rivals or "openvino" in rivals:
        export(model, torch.from_numpy(pictures[:2]), folder / "float32.onnx")
    if "onnxruntime" in rivals:
        quantize_for_onnxruntime(folder)
    if "openvino" in rivals:
        quantize_for_openvino(folder, images.make(CALIBRATION_IMAGES, inputs, size, seed=2))


main()
