// SPDX-License-Identifier: Apache-2.0
// Preloaded into a server that listens on every address, to keep it on this machine.
import net from 'node:net';

const {listen} = net.Server.prototype;

net.Server.prototype.listen = function (first, ...rest) {
  const options = typeof first === 'object' ? first : {port: Number(first)};
  const callback = rest.find((argument) => typeof argument === 'function');
  return listen.call(this, {...options, host: '127.0.0.1'}, callback);
};
