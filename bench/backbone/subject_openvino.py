"""OpenVINO on the CPU: float32, bfloat16 by its hint, or int8 by NNCF with the rest in bfloat16."""

import openvino
from subject import serve

FILES = {"int8": "int8.xml"}
# For what int8 leaves, bfloat16 is OpenVINO's own choice where processors have it, and faster than float32.
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "bf16"}


def load(options):
    core = openvino.Core()
    core.set_property("CPU", {
        "INFERENCE_NUM_THREADS": options.threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": HINTS[options.precision]})
    model = core.read_model(options.files / FILES.get(options.precision, "float32.onnx"))
    requests = {}

    def embed(images):
        if images.shape not in requests:
            fixed = model.clone()
            fixed.reshape(list(images.shape))
            requests[images.shape] = core.compile_model(fixed, "CPU").create_infer_request()
        request = requests[images.shape]
        request.infer([images], share_inputs=True)
        return request.get_output_tensor(0).data.copy()

    return embed


serve(load)
