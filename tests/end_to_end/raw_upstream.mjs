// SPDX-License-Identifier: Apache-2.0
// An upstream that answers in bytes, right or wrong, and sees its connections end.
import {createServer} from 'node:net';

export const head = (fields, status = '200 OK') =>
  `HTTP/1.1 ${status}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
export const whole = (body, fields = [], status = '200 OK') => Buffer.concat([
  Buffer.from(head(['content-type: application/json', `content-length: ${body.length}`, ...fields],
    status)), Buffer.from(body)]);

// Calls `answer(socket, request, count)` for every request that has come whole; `up.answer = ...`
// takes its place.
export async function raw_upstream(context, answer) {
  const up = {requests: [], closed: 0, connections: 0, answer};
  const sockets = new Set();
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0);
    up.connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      up.closed += 1;
    });
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data]);
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const text = bytes.subarray(0, end).toString('latin1');
      const size = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (bytes.length < end + 4 + size) return;
      const request = {head: text, body: bytes.subarray(end + 4, end + 4 + size)};
      bytes = bytes.subarray(end + 4 + size);
      up.requests.push(request);
      up.answer(socket, request, up.requests.length);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(up, {url: `http://127.0.0.1:${server.address().port}/v1`});
}

// Writes `piece` again and again, as fast as it is taken, until the other side has gone.
export function flood(socket, piece, seen = {bytes: 0}) {
  const go_on = () => {
    while (!socket.destroyed) {
      seen.bytes += piece.length;
      if (!socket.write(piece)) return socket.once('drain', go_on);
    }
  };
  go_on();
}
