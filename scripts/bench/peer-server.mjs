// The servers that the hub is measured beside, as bare as they come.
// usage: node peer-server.mjs echo|socketio -> prints its port once it listens
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';

const http = createServer();
if (process.argv[2] === 'echo') {
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  server.on('connection', (ws) => {
    ws.on('message', (data, binary) => ws.send(data, { binary }));
  });
} else {
  const server = new Server(http, { serveClient: false, transports: ['websocket'] });
  server.on('connection', (socket) => {
    socket.on('ai_detection_result', (_message, acknowledge) => acknowledge());
  });
}
http.listen(0, '127.0.0.1', () => console.log(http.address().port));
