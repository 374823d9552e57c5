/**
 * Every error code of the project. A code is stable: it is searched for, filtered on and written down.
 * docs/errors.md is made from this list, and a test holds the two together.
 */
export const ERROR_CATALOGUE = {
  INTERNAL: {
    summary: 'A fault of apex-edge itself.',
    remedy: 'Report it with the log around this line; the program restarts the part concerned.',
  },
  SYSTEMD_NOTIFY_FAILED: {
    summary: 'systemd could not be told about the state of the service.',
    remedy:
      'Check that the command `systemd-notify` is installed and that the unit says `NotifyAccess=all`.',
  },
  CONFIG_NOT_FOUND: {
    summary: 'The configuration file is not there.',
    remedy: 'Name it with `--config`, or copy config.example.yaml to that place and edit it.',
  },
  CONFIG_UNREADABLE: {
    summary: 'The configuration file is there but could not be read.',
    remedy: 'Check its type, its encoding (UTF-8) and that the user of the service may read it.',
  },
  CONFIG_INVALID: {
    summary: 'The configuration has mistakes outside of the cameras, so nothing was started.',
    remedy: 'Mend the lines named; `apex-edge config check` checks the file without starting.',
  },
  CONFIG_NOT_EDITABLE: {
    summary: 'A value of the configuration cannot be changed over the API.',
    remedy:
      'Change it where it comes from: by hand in the file, where it uses anchors or braces, or in the variable that the message names.',
  },
  CONFIG_CHANGED: {
    summary: 'The configuration file was changed by somebody else meanwhile.',
    remedy: 'Look at it as it is now, and make the change again.',
  },
  CONFIG_READ_ONLY: {
    summary: 'The configuration file may not be written by the daemon.',
    remedy:
      'Give the user that runs apex-edge the right to write the file and its folder, or change it by hand.',
  },
  CONFIG_VERSION_UNKNOWN: {
    summary: 'There is no earlier configuration of that name.',
    remedy: 'Take one of those that are listed.',
  },
  CONFIG_CAMERA_INVALID: {
    summary: 'The configuration of one camera has mistakes; the others run.',
    remedy: 'Mend the lines named, check with `apex-edge config check`, and restart.',
  },
  CONFIG_SECRET_UNREADABLE: {
    summary: 'A password or token could not be read from its file.',
    remedy:
      'Give the absolute path of a file that the service may read, or the name of a credential that the unit passes on with `LoadCredential=`.',
  },
  API_FAILED: {
    summary: 'The local API does not run.',
    remedy: 'See the message; it is tried again every five seconds.',
  },
  API_SOCKET_FAILED: {
    summary: 'The daemon cannot open its control socket in the data folder.',
    remedy:
      'Check that `edge.data_dir` is on a local disk, writable, and that its path is shorter than 90 characters.',
  },
  API_NOT_ALLOWED: {
    summary: 'The control socket belongs to the user that the daemon runs as.',
    remedy: 'Ask as that user or as root: `sudo apex-edge status`.',
  },
  API_STATUS_FAILED: {
    summary: 'The daemon runs but cannot tell its status.',
    remedy:
      'Look at its log (`journalctl -u apex-edge`); restart it if it does not recover by itself.',
  },
  API_NOT_RUNNING: {
    summary: 'No daemon answers on the control socket.',
    remedy:
      'Start it (`systemctl start apex-edge` or `apex-edge run`), and name the configuration that it runs with.',
  },
  STORE_LOCKED: {
    summary: 'The database is held by another process.',
    remedy: 'Stop the other apex-edge that uses this data directory, or give this one its own.',
  },
  STORE_UNREADABLE: {
    summary: 'The database could not be opened.',
    remedy: 'Check that the data directory exists, is writable by this user and has free space.',
  },
  STORE_NEWER: {
    summary: 'The database was written by a newer version.',
    remedy: 'Install that version again, or start with an empty data directory.',
  },
  STORE_NOT_DURABLE: {
    summary: 'The database would not keep its promise to survive a power cut.',
    remedy: 'Put the data directory on a local file system that supports write-ahead logging.',
  },
  STORE_FULL: {
    summary: 'The disk or the budget of the outbox is used up; the message was not taken.',
    remedy:
      'Free space on the data directory, or bring the connection to the hub back so that the outbox empties.',
  },
  STORE_IO: {
    summary: 'The disk failed while the database was read or written.',
    remedy: 'Check the disk (`dmesg`, `smartctl`, free space) and replace a worn SD card.',
  },
  STORE_CLOSED: {
    summary: 'The database is closed.',
    remedy: 'Nothing during shutdown; otherwise the log says above why its thread ended.',
  },
  STORE_MESSAGE_TOO_LARGE: {
    summary: 'A message is larger than one frame may be, so the hub would never take it.',
    remedy: 'Report it with the log around this line.',
  },
  STORE_MESSAGE_INVALID: {
    summary: 'A message is nested deeper than a frame may be, so the hub would never take it.',
    remedy: 'Report it with the log around this line.',
  },
  JOURNAL_FULL: {
    summary: 'The journal of events and alerts has no room on the disk.',
    remedy: 'Free space on the file system of the data folder; what waits is written then.',
  },
  JOURNAL_IO: {
    summary: 'The journal of events and alerts could not be read or written.',
    remedy: 'Check the disk (`dmesg`, `smartctl`, free space); what waits is tried again.',
  },
  JOURNAL_BUSY: {
    summary: 'The journal has more questions than it can answer now, or another program holds it.',
    remedy:
      'Ask again after a moment, for less at once or less often; end programs that keep `journal.db` open for writing.',
  },
  JOURNAL_INPUT: {
    summary: 'What was asked of the journal is not possible.',
    remedy: 'Mend what the message names; docs/journal.md says what may be asked.',
  },
  JOURNAL_CLOSED: {
    summary: 'The journal is closed.',
    remedy: 'Nothing during shutdown.',
  },
  UPLINK_UNREACHABLE: {
    summary: 'The hub could not be reached.',
    remedy:
      'Check `uplink.url`, the network and that the hub runs; messages are kept and sent later.',
  },
  UPLINK_AUTH_FAILED: {
    summary: 'The hub refused the token.',
    remedy:
      'Set `uplink.token` or `uplink.token_file` to a token that the hub lists with type ai_engine.',
  },
  UPLINK_SUPERSEDED: {
    summary: 'Another edge connected to the hub under the same id.',
    remedy: 'Give every edge an `edge.id` of its own, or stop the second process.',
  },
  UPLINK_REFUSED: {
    summary: 'The hub ended the connection for a reason of its own.',
    remedy: 'Read the reason; the uplink tries again by itself.',
  },
  UPLINK_PROTOCOL: {
    summary: 'The other side does not speak the protocol as it should.',
    remedy: 'Check that `uplink.url` is an apex-edge hub of a matching version.',
  },
  UPLINK_TIMEOUT: {
    summary: 'The hub stopped answering.',
    remedy: 'Check the network and the load of the hub; the uplink connects again by itself.',
  },
  UPLINK_TLS: {
    summary: 'A certificate or key of the uplink cannot be used.',
    remedy: 'Give certificates and keys in PEM form, and the key that belongs to the certificate.',
  },
  UPLINK_TLS_UNTRUSTED: {
    summary: 'The certificate of the hub comes from an authority that this box does not know.',
    remedy:
      'Give the certificate of the authority in `uplink.tls.ca_file`, if you know who runs the hub.',
  },
  UPLINK_TLS_NAME: {
    summary: 'The certificate of the hub is for another name.',
    remedy: 'Write the name of the certificate in `uplink.url`, or give the hub a matching one.',
  },
  UPLINK_TLS_EXPIRED: {
    summary: 'The certificate of the hub is not valid at this time.',
    remedy: 'Check the clock of this box; if it is right, renew the certificate of the hub.',
  },
  UPLINK_TLS_PIN: {
    summary: 'The hub has another public key than the pinned one.',
    remedy:
      'If the hub got a new key, put its pin into `uplink.tls.pin_sha256`; otherwise somebody stands in between.',
  },
  UPLINK_TLS_CLIENT: {
    summary: 'The hub does not accept the certificate of this box, or wants one.',
    remedy:
      'Give a certificate that the hub accepts in `uplink.tls.cert_file`, and its key in `uplink.tls.key_file`.',
  },
  UPLINK_URL: {
    summary: 'The address of the hub is not a WebSocket address.',
    remedy:
      'Write `uplink.url` as wss://host/path, or ws://host:port/path within a trusted network.',
  },
  HUB_ADDRESS: {
    summary: 'The hub could not listen on its address.',
    remedy: 'Choose another hub.host or hub.port, or stop the program that uses it.',
  },
  HISTORY_BUSY: {
    summary: 'The hub has more questions about its history than it can answer now.',
    remedy: 'Ask again after a moment; ask for less at once, or less often.',
  },
  HISTORY_CROWDED: {
    summary: 'One token has more questions about the history waiting than the hub takes of it.',
    remedy:
      'Wait for the answers before asking again; give programs that ask a lot their own token.',
  },
  HISTORY_FAILED: {
    summary: "The hub's stored events could not be read.",
    remedy: 'Ask again; if it stays, look at the log of the hub and check its disk.',
  },
  HUB_STORE_FAILED: {
    summary: 'The hub could not write to its database.',
    remedy: 'Check free space and health of the disk; clients keep their data and send it again.',
  },
  HUB_URL: {
    summary: 'The address of the hub cannot be understood.',
    remedy: 'Write it as ws://host:port/ws, or wss:// with TLS.',
  },
  HUB_TLS: {
    summary: 'The certificate or key of the hub cannot be used.',
    remedy:
      'Give hub.tls.cert_file and hub.tls.key_file in PEM form, and the key that belongs to the certificate.',
  },
  HUB_PLAINTEXT: {
    summary: 'The hub would listen on a network without TLS, where others could read its tokens.',
    remedy:
      'Give it a certificate in hub.tls, listen on 127.0.0.1 behind a proxy, or, on a network you trust, set hub.insecure_plaintext: true.',
  },
  HUB_TOKEN_NAME: {
    summary: 'The hub has a token of this name already, in its list or in hub.tokens of its file.',
    remedy: 'Choose another name, or revoke the old token first: `apex-edge tokens revoke NAME`.',
  },
  HUB_TOKEN_UNKNOWN: {
    summary: "No token of this name is in force in the hub's list.",
    remedy:
      'See `apex-edge tokens list`; a token of hub.tokens is revoked by removing it from the file.',
  },
  HUB_TOKEN_OPTION: {
    summary: 'An option of the new token cannot be understood.',
    remedy: 'See `apex-edge tokens create --help`.',
  },
  HUB_TOKEN_MISSING: {
    summary: 'No token was given for the hub.',
    remedy: 'Set APEX_TOKEN, or name a file that holds the token with --token-file.',
  },
  HUB_REFUSED: {
    summary: 'The hub refused this client.',
    remedy: 'Check the token and that its type is allowed to do this.',
  },
  MODEL_UNREADABLE: {
    summary: 'The file is not an ONNX model.',
    remedy: 'Export the model with `yolo export format=onnx`, and import the .onnx file.',
  },
  MODEL_NOT_YOLOV8: {
    summary: 'The model is not a YOLOv8 detector.',
    remedy:
      'Export a YOLOv8 detection model: `yolo export model=yolov8n.pt format=onnx imgsz=640`.',
  },
  EVIDENCE_CLIP_FAILED: {
    summary: 'The clip of an alert could not be made; the alert itself is stored.',
    remedy: 'Look at the reason; the folder for segments needs room, and ffmpeg has to run.',
  },
  VISION_FACES_FAILED: {
    summary: 'The models for faces cannot be run; objects are still found.',
    remedy: 'Check the models with `apex-edge models verify`, and look at the reason.',
  },
  MODEL_NO_FACE_DETECTOR: {
    summary: 'The model is no face detector of a known kind.',
    remedy:
      'Use YuNet (`apex-edge models pull yunet`), Ultra-Light RFB (`ultra-light-face`), or a model with the outputs of SCRFD.',
  },
  MODEL_NO_FACE_LANDMARKS: {
    summary: 'Faces cannot be compared without landmarks, and no usable model for them is there.',
    remedy:
      'Use a face detector with landmarks (`yunet`), or set `faces.landmarks` to `face-landmarks` and pull it.',
  },
  MODEL_NO_FACE_EMBEDDING: {
    summary: 'The model does not turn an aligned face of 112x112 pixels into an embedding.',
    remedy:
      'Use `face-embedding` (`apex-edge models pull face-embedding`), or a model like ArcFace.',
  },
  MODEL_CANNOT_BE_CUT: {
    summary: 'The model runs, but its detection head has an unknown layout, so it runs slower.',
    remedy: 'Export the model again with a current Ultralytics version for the faster form.',
  },
  MODEL_CACHE_FAILED: {
    summary: 'The prepared form of a model could not be written.',
    remedy: 'Check that the folder for prepared models is writable and has free space.',
  },
  MODEL_DOES_NOT_RUN: {
    summary: 'ONNX Runtime cannot load or run the model.',
    remedy:
      'Export the model again with a current Ultralytics version: `yolo export format=onnx opset=17`.',
  },
  MODEL_NAME_REFUSED: {
    summary: 'The name chosen for an imported model cannot be used.',
    remedy:
      'Choose lower-case letters, digits, dots, dashes and underscores, and a name that no other model has.',
  },
  MODEL_UNKNOWN: {
    summary: 'No model of this name is known.',
    remedy:
      'See `apex-edge models list`; import your own export with `apex-edge models import FILE --name NAME`.',
  },
  MODEL_NOT_INSTALLED: {
    summary: 'The model is known, but its file is not on this machine.',
    remedy: 'Fetch it with `apex-edge models pull NAME`.',
  },
  MODEL_UNAVAILABLE: {
    summary: 'No source has the model.',
    remedy:
      'Check the network, or put the file into a folder and name it in APEX_MODELS_MIRROR; what has arrived is kept, and the next pull goes on from there.',
  },
  MODEL_DIGEST_MISMATCH: {
    summary: 'The file that arrived is not the model that the manifest names.',
    remedy:
      'Pull again; if it stays, the source has changed: use another one through APEX_MODELS_MIRROR.',
  },
  MODEL_DIR_NOT_WRITABLE: {
    summary: 'The models folder cannot be written to.',
    remedy:
      'Give this user the right to write there, or name another folder with --dir or `models.dir`.',
  },
  MODEL_INDEX_DAMAGED: {
    summary: 'The list of imported models in the models folder cannot be read.',
    remedy:
      'Move index.json away and import your models again; the files are in the folder `imported`.',
  },
  MODEL_LABELS_UNKNOWN: {
    summary: 'The model knows none of the labels asked for.',
    remedy: "Choose from the model's own labels, which the error lists.",
  },
  CAPTURE_ADDRESS_REFUSED: {
    summary: 'The address or path of a camera is of a kind that is not opened.',
    remedy: 'Give an rtsp:// or rtsps:// address, or the absolute path of a video file.',
  },
  CAPTURE_FFMPEG_MISSING: {
    summary: 'ffmpeg could not be started.',
    remedy: 'Install ffmpeg (`apt-get install ffmpeg`), or name it with `ffmpeg.path`.',
  },
  CAPTURE_FFMPEG_TOO_OLD: {
    summary:
      'This ffmpeg cannot take the address of a camera without showing its password to other users.',
    remedy: 'Install ffmpeg 4.4 or newer, or name one with `ffmpeg.path`.',
  },
  CAPTURE_AUTH_FAILED: {
    summary: 'The camera refused the user name or password.',
    remedy:
      'Check `username` and `password` of the camera; too many wrong tries may have locked the account for a while.',
  },
  CAPTURE_PATH_UNKNOWN: {
    summary: 'The camera does not know this path.',
    remedy: "Check the part of the address behind the host name against the camera's manual.",
  },
  CAPTURE_TOO_MANY_SESSIONS: {
    summary: 'The camera serves no more viewers.',
    remedy: 'Close other viewers of this camera or raise its limit; it is tried again by itself.',
  },
  CAPTURE_DNS: {
    summary: "The camera's host name is not known.",
    remedy: 'Check the host name and the DNS server, or use the IP address.',
  },
  CAPTURE_REFUSED: {
    summary: 'Nothing listens on this port of the camera.',
    remedy: 'Check the port (usually 554) and that RTSP is switched on in the camera.',
  },
  CAPTURE_NO_ROUTE: {
    summary: 'The camera cannot be reached on the network.',
    remedy: 'Check power, cable and address of the camera, and the route from this machine to it.',
  },
  CAPTURE_TLS: {
    summary: 'The encrypted connection to the camera failed.',
    remedy: 'Check that the camera serves rtsps on this port; otherwise use rtsp://.',
  },
  CAPTURE_TIMEOUT: {
    summary: 'The camera did not answer in time.',
    remedy: 'Check that the camera is running and its network not overloaded.',
  },
  CAPTURE_TRANSPORT_REFUSED: {
    summary: 'The camera does not offer this transport.',
    remedy: 'Set `transport` of the camera to the other of `tcp` and `udp`.',
  },
  CAPTURE_CAMERA_ERROR: {
    summary: 'The camera answered with an error of its own.',
    remedy: 'Restart the camera; look for newer firmware if it happens again.',
  },
  CAPTURE_CODEC_UNSUPPORTED: {
    summary: "This ffmpeg cannot decode the camera's video.",
    remedy: 'Set the camera to H.264 or H.265, or install an ffmpeg that decodes this codec.',
  },
  CAPTURE_DECODER_FAILED: {
    summary: 'The decoder failed.',
    remedy:
      'It is tried again, and replaced by software decoding if it keeps failing; `decoder: software` avoids it.',
  },
  CAPTURE_NO_VIDEO: {
    summary: 'There is no video in what the camera or file delivers.',
    remedy: 'Check that the address leads to a video stream, and the file to a video.',
  },
  CAPTURE_FILE_MISSING: {
    summary: 'The file of a file camera is not there.',
    remedy: 'Check `path` of the camera; it is tried again by itself.',
  },
  CAPTURE_FILE_UNREADABLE: {
    summary: 'The file of a file camera cannot be read or is no video.',
    remedy:
      'Check that the user of the service may read the file and that `ffmpeg -i` can open it.',
  },
  CAPTURE_STREAM_ENDED: {
    summary: 'The camera ended the stream.',
    remedy: 'Nothing to do if it happens rarely: the stream is opened again by itself.',
  },
  CAPTURE_STALLED: {
    summary: 'The camera was connected but sent no more pictures.',
    remedy: 'Check the network to the camera; the stream is opened again by itself.',
  },
  CAPTURE_PICTURE_FROZEN: {
    summary: 'The camera sends the same picture again and again.',
    remedy:
      'Restart the camera; where nothing moves in truth, raise `frozen_timeout_s` or set it to 0.',
  },
  CAPTURE_STREAM_CHANGED: {
    summary: "The camera's codec or picture size has changed.",
    remedy: 'Nothing to do: the stream is opened again with the new settings.',
  },
  CAPTURE_FFMPEG_FAILED: {
    summary: 'ffmpeg ended for a reason that is not known to this program.',
    remedy: 'Read the message; play the same address with `ffmpeg -i` to see more.',
  },
  CAMERA_UNKNOWN: {
    summary: 'This edge has no camera of that name.',
    remedy: 'Give the address of the camera, or the name of one that `apex-edge status` shows.',
  },
  CAMERA_DISABLED: {
    summary: 'The camera is switched off in the configuration of this edge.',
    remedy: 'Whoever manages the edge can set `enabled: true` for it and restart the daemon.',
  },
  CAMERA_STOPPED: {
    summary: 'The camera is not watched, so how it is watched cannot be changed.',
    remedy: 'Start it with the quality wanted.',
  },
  EDGE_STOPPING: {
    summary: 'The edge is stopping and takes no more requests for its cameras.',
    remedy: 'Ask again when it is back.',
  },
  CAMERA_ADDRESS_DIFFERS: {
    summary: 'A camera of that name has another address.',
    remedy: 'Use another name for the new camera, or leave the address out.',
  },
  CAMERA_START_TIMEOUT: {
    summary: 'No frame of the camera was analysed in time after it was asked for.',
    remedy: 'Look at `apex-edge status`: the machine may be overloaded or the detector not ready.',
  },
  CAMERA_NAME_INVALID: {
    summary: 'A camera that is added upstream needs a name of the usual form.',
    remedy:
      'Choose a name of lower-case letters, digits, - and single _, at most 63 long, starting with a letter or digit.',
  },
  CAMERA_LIMIT: {
    summary: 'This edge watches as many cameras as it can.',
    remedy: 'Stop another camera first.',
  },
  STREAM_REQUESTS_OFF: {
    summary: 'This edge takes no requests for its cameras from the hub.',
    remedy: 'Whoever manages the edge can set `uplink.stream_requests.enabled: true`.',
  },
  STREAM_ADDRESS_INVALID: {
    summary:
      'The address of a camera that was given upstream is none, or could be read in two ways.',
    remedy:
      'Give it as rtsp://user:password@host:port/path; percent-encode `@ : / ? # [ ]` in the password.',
  },
  STREAM_ADDRESS_FORBIDDEN: {
    summary: 'The address of a camera that was given upstream is not allowed on this edge.',
    remedy:
      'Whoever manages the edge can add its scheme, host and port to `uplink.stream_requests.allow_addresses`.',
  },
  EVIDENCE_UNKNOWN: {
    summary: 'The box keeps no such picture or clip.',
    remedy:
      'It was never made, deleted to make room (`evictions.jsonl`), or shows somebody who is forgotten; nothing brings it back.',
  },
  EVIDENCE_NOT_YET: {
    summary: 'The clip of an alert is still being recorded.',
    remedy: 'Ask again after the time that the answer names.',
  },
  EVIDENCE_ALLOWANCE_SPENT: {
    summary: 'The box has sent as much evidence today as it may.',
    remedy:
      'Ask again on the next day (UTC), raise `evidence.upstream.daily_mb`, or fetch the file from the box.',
  },
  EVIDENCE_REQUESTS_OFF: {
    summary: 'The box sends no evidence on request.',
    remedy: 'Set `evidence.upstream.requests` to true on the box if its owner agrees.',
  },
  EVIDENCE_BUSY: {
    summary: 'The box has more evidence to send than it takes orders for.',
    remedy: 'Ask again after a moment, and for less at once.',
  },
  EVIDENCE_TOO_LARGE: {
    summary: 'The file is larger than what the hub takes.',
    remedy: 'Fetch it from the box; shorten clips with `evidence.clips.max_s`.',
  },
  EVIDENCE_UPLOAD_FAILED: {
    summary: 'Evidence that the hub asked for could not be uploaded to it.',
    remedy:
      'Check that a proxy before the hub lets `PUT /api/v1/evidence/` through with bodies of up to 256 MB; ask again.',
  },
  EVIDENCE_FORGOTTEN: {
    summary: 'A picture or clip was not kept: it shows somebody who was just forgotten.',
    remedy: 'Nothing: it is what `people forget` is for.',
  },
  EVENTS_SNAPSHOT_WRITE_FAILED: {
    summary: 'The picture of an event could not be stored; the event itself goes on without it.',
    remedy: 'Check free space and permissions of edge.data_dir, or set snapshots.enabled to false.',
  },
  PEOPLE_KEY_MISSING: {
    summary: 'The key that the gallery of people is encrypted with is not where it should be.',
    remedy:
      'Put the key back from its backup, or name its place with `people.key_file`. Without it nobody can be recognised; `apex-edge people forget` works still, and once everybody is forgotten and people.db is removed a new key is made.',
  },
  PEOPLE_KEY_WRONG: {
    summary: 'The key is not the one that the gallery of people is encrypted with.',
    remedy:
      'Put the right key in its place (`people.key_file`, or keys/people.key in the data folder); nothing was changed.',
  },
  PEOPLE_KEY_UNREADABLE: {
    summary: 'The key of the gallery of people cannot be read or made.',
    remedy:
      'Check that the user of the service may read the file, and that it holds 32 bytes or 64 hexadecimal digits.',
  },
  PEOPLE_UNKNOWN: {
    summary: 'There is nobody of that id in the gallery.',
    remedy: '`apex-edge people list` shows the ids.',
  },
  PEOPLE_OPTION: {
    summary: 'What was told of a person cannot be taken.',
    remedy: '`apex-edge people add --help` says what is allowed; days are written 2027-01-31.',
  },
  PEOPLE_PICTURE_UNREADABLE: {
    summary: 'An image file cannot be read.',
    remedy: 'Check the path; JPEG, PNG and WebP are read.',
  },
  PEOPLE_FACE_REFUSED: {
    summary: 'The picture has no face that people could be recognised by.',
    remedy:
      'Take one with a single sharp face that looks into the camera, better 112 pixels wide or more.',
  },
  PEOPLE_EVENT_WITHOUT_FACE: {
    summary: 'No face is kept of that event.',
    remedy:
      'Faces are kept of events on cameras that recognise them, and for a limited time; choose another event or an image file.',
  },
  PEOPLE_EXPORT_INVALID: {
    summary: 'The file is no export of people, or the passphrase is another one.',
    remedy: 'Check the file and the passphrase; nothing was changed.',
  },
  PEOPLE_BUSY: {
    summary: 'Too much is asked of the gallery of people at once.',
    remedy: 'Ask again after a moment.',
  },
  PEOPLE_SERVICE_FAILED: {
    summary: 'The process that reads faces for the gallery of people failed.',
    remedy:
      'Try again; if it fails again with the same picture, take another one and send us that one.',
  },
  PEOPLE_FORGETTING: {
    summary: 'A person is gone from the gallery, but stored events may still tell of them.',
    remedy:
      'It is tried again by itself, and at every start; the message says what is in the way. Free space on the data folder, and look again with `apex-edge people list`.',
  },
  VISION_NO_PROVIDER: {
    summary: 'No execution provider, not even the CPU, runs the detector model.',
    remedy:
      'Check the model with `apex-edge models verify` and `apex-edge detect`; reinstall apex-edge if the CPU is refused.',
  },
  VISION_INFERENCE_FAILED: {
    summary: 'The detector failed on a frame.',
    remedy:
      'The vision process starts anew by itself. If it happens again, set `detector.provider: cpu`, and report it with the log.',
  },
  VISION_PROCESS_DIED: {
    summary: 'The vision process ended unexpectedly; cameras are not watched until it is back.',
    remedy:
      'It is restarted by itself. If it keeps ending, the log around this line has its last words.',
  },
  VISION_INPUT_UNREADABLE: {
    summary: 'The clip or image cannot be decoded.',
    remedy: 'Check the path, and that `ffmpeg -i FILE` can read it.',
  },
} as const satisfies Record<string, { summary: string; remedy: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;
