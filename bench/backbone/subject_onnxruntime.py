"""ONNX Runtime on the CPU: float32, or int8 by its dynamic quantisation."""

import onnxruntime
from subject import serve


def load(options):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    file = options.files / f"{options.precision}.onnx"
    session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


serve(load)
