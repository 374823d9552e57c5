// The message that all contenders carry: a detection result of two objects as the edge sends it, 400 to 450 bytes.

const EVENT_IDS = ['1767225600.125000-k3v9q2', '1767225598.875000-m8x1zt'];

export function detectionResult(cameraId, timestamp = 1_767_225_600_125) {
  return {
    camera_id: cameraId,
    timestamp,
    frame_id: 18_342,
    inference_ms: 27.4,
    model: 'yolov8n',
    detections: [
      detection('person', 0.873, { x: 0.4121, y: 0.2875, width: 0.0934, height: 0.4512 }, 0),
      detection('person', 0.641, { x: 0.7013, y: 0.3127, width: 0.0871, height: 0.4029 }, 1),
    ],
  };
}

function detection(label, confidence, box, index) {
  return {
    type: label,
    label,
    confidence,
    bounding_box: box,
    track_id: 412 + index,
    ...(index === 0 && { event_id: EVENT_IDS[index] }),
  };
}

export function alert(cameraId, timestamp) {
  return {
    type: 'person_detected',
    camera_id: cameraId,
    severity: 'high',
    timestamp,
    data: { event_id: EVENT_IDS[0], label: 'person', zone: 'dock', confidence: 0.873 },
  };
}
