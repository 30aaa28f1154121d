// SPDX-License-Identifier: Apache-2.0
// A hub of models with its two origins: the API that redirects, and the store of large files that
// serves ranges. What it does wrong, a test says.
import {createHash} from 'node:crypto';
import http from 'node:http';

const digest = (kind, ...parts) => {
  const hash = createHash(kind);
  parts.forEach((part) => hash.update(part));
  return hash.digest('hex');
};

// Bytes that look like weights: the same for the same seed.
export function noise(bytes, seed = 1) {
  const out = Buffer.alloc(bytes);
  let state = seed >>> 0 || 1;
  for (let i = 0; i + 4 <= bytes; i += 4) {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5; state >>>= 0;
    out.writeUInt32LE(state, i);
  }
  return out;
}

function listen(context, handle) {
  const server = http.createServer(handle);
  context.after(() => { server.closeAllConnections(); server.close(); });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}

function entry(path, content, isLarge) {
  const blob = digest('sha1', `blob ${content.length}\0`, content);
  const lfs = {oid: digest('sha256', content), size: content.length, pointerSize: 134};
  return {type: 'file', path, size: content.length, oid: blob, ...(isLarge ? {lfs} : {})};
}

function sendRange(request, response, content, hub) {
  const found = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (!found || hub.noRanges) {
    response.writeHead(200, {'content-length': content.length});
    return content;
  }
  const [begin, end] = [Number(found[1]), Number(found[2])];
  response.writeHead(206, {'content-length': end - begin + 1,
    'content-range': `bytes ${begin}-${end}/${content.length}`});
  return content.subarray(begin, end + 1);
}

// files: {path: Buffer}. The hub's fields may be changed at any time:
//   serve(request, response, content, path): answers in place of the store when it returns true
//   api(request, response): answers in place of the API when it returns true
export async function startHub(context, files, {pageSize = 1000} = {}) {
  const hub = {files, api: () => false, serve: () => false, noRanges: false,
    requests: [], authorizations: {api: [], store: []}, sent: 0, list: null};
  hub.storeUrl = await listen(context, (request, response) => {
    hub.authorizations.store.push(request.headers.authorization ?? null);
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname.slice(1));
    hub.requests.push({path, range: request.headers.range ?? null});
    const content = hub.files[path];
    if (hub.serve(request, response, content, path)) return;
    const body = sendRange(request, response, content, hub);
    hub.sent += body.length;
    response.end(body);
  });
  hub.url = await listen(context, (request, response) => {
    hub.authorizations.api.push(request.headers.authorization ?? null);
    if (hub.api(request, response)) return;
    const url = new URL(request.url, hub.url);
    if (url.pathname.startsWith('/api/models/')) return sendList(hub, url, response, pageSize);
    const [, path] = /\/resolve\/[^/]+\/(.*)$/.exec(url.pathname) ?? [];
    if (path === undefined || !(decodeURIComponent(path) in hub.files)) {
      response.writeHead(404, {'x-error-message': 'Entry not found'});
      return response.end();
    }
    response.writeHead(302, {location: `${hub.storeUrl}/${path}?signed=1`,
      'x-repo-commit': 'c0ffee00'});
    response.end();
  });
  return hub;
}

function sendList(hub, url, response, pageSize) {
  const all = hub.list ?? Object.entries(hub.files).map(([path, content]) =>
    entry(path, content, content.length > 1000));
  const from = Number(url.searchParams.get('cursor') ?? 0);
  const next = from + pageSize < all.length;
  response.writeHead(200, {'content-type': 'application/json', ...(next ? {
    link: `<${hub.url}${url.pathname}?recursive=1&cursor=${from + pageSize}>; rel="next"`} : {})});
  response.end(JSON.stringify(all.slice(from, from + pageSize)));
}

export {entry};
