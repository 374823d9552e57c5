"""The same job with OpenCV's own DNN engine: decode, letterbox, inference, NMS.
usage: opencv.py MODEL CLIP FRAMES -> one JSON line of measurements or {error}"""
import json
import resource
import sys
import time

import cv2
import numpy as np

SIZE = 640
model, clip, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
try:
    net = cv2.dnn.readNetFromONNX(model)
    net.setInput(np.zeros((1, 3, SIZE, SIZE), np.float32))
    net.forward()
except cv2.error as error:
    print(json.dumps({"error": f"OpenCV {cv2.__version__} cannot run this model: {str(error).strip()[:200]}"}))
    sys.exit(0)

capture = cv2.VideoCapture(clip)
frames = detections = 0
began, cpu_began = time.monotonic(), time.process_time()
while frames < limit:
    ok, picture = capture.read()
    if not ok:
        capture = cv2.VideoCapture(clip)
        continue
    height, width = picture.shape[:2]
    scale = min(SIZE / width, SIZE / height)
    content = cv2.resize(picture, (round(width * scale), round(height * scale)))
    canvas = np.full((SIZE, SIZE, 3), 114, np.uint8)
    top, left = (SIZE - content.shape[0]) // 2, (SIZE - content.shape[1]) // 2
    canvas[top:top + content.shape[0], left:left + content.shape[1]] = content
    net.setInput(cv2.dnn.blobFromImage(canvas, 1 / 255, swapRB=True))
    rows = net.forward()[0].T
    scores = rows[:, 4:].max(axis=1)
    found = rows[scores >= 0.4]
    if len(found):
        boxes = np.column_stack([found[:, :2] - found[:, 2:4] / 2, found[:, 2:4]]).tolist()
        detections += len(cv2.dnn.NMSBoxes(boxes, scores[scores >= 0.4].tolist(), 0.4, 0.45))
    frames += 1
print(json.dumps({
    "frames": frames, "seconds": time.monotonic() - began, "cpuSeconds": time.process_time() - cpu_began,
    "rssMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, "detections": detections}))
