// SPDX-License-Identifier: Apache-2.0
// Starts the built server on a free port with a deployment written by the test.
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const source = fileURLToPath(new URL('../..', import.meta.url));
export const backplane = process.env.BACKPLANE ?? join(source, 'build/test/bin/backplane');
export const model = join(source, 'configs/models/tiny-chat.gguf');
export const slow = Number(process.env.BACKPLANE_SLOW ?? 1);  // sanitizers: how much slower

export function workdir(context) {
  const path = mkdtempSync(join(tmpdir(), 'backplane-'));
  context.after(() => rmSync(path, {recursive: true, force: true}));
  return path;
}

export function write(context, yaml) {
  const file = join(workdir(context), 'deploy.yaml');
  writeFileSync(file, yaml);
  return file;
}

// Runs a command of the program to its end.
export function run(args, options = {}) {
  const done = spawnSync(backplane, args, {encoding: 'utf8', timeout: 60000 * slow, ...options});
  return {status: done.status, stdout: done.stdout, stderr: done.stderr};
}

// A server that is up: {url, port, process, exited, stderr()}; stopped when the test ends.
export async function serve(context, yaml, env = {}) {
  const file = write(context, yaml);
  const child = spawn(backplane, ['serve', file], {env: {...process.env, ...env}});
  let stderr = '';
  let stdout = '';
  child.stderr.on('data', (data) => { stderr += data; });
  const exited = new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve({code, signal}));
  });
  context.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const port = await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      stdout += data;
      const found = /listening on [^\n]*:(\d+)\n/.exec(stdout);
      if (found) resolve(Number(found[1]));
    });
    exited.then(() => reject(new Error(`the server ended: ${stderr}${stdout}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`, port, process: child, exited, file,
    stderr: () => stderr, stdout: () => stdout,
  };
}

// A chat whose answer is read as it comes: {id, ended}, once it has begun; `ended` gives
// {text, complete}.
// fetch drops what it has not handed on yet when a body breaks off; this reader does not.
export async function streamed(server, body) {
  const sent = request(`${server.url}/v1/chat/completions`,
    {method: 'POST', agent: false, headers: {'content-type': 'application/json'}});
  sent.end(JSON.stringify({stream: true, ...body}));
  const answer = await new Promise((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  let text = '';
  answer.setEncoding('utf8').on('data', (data) => { text += data; });
  answer.on('error', () => {});
  const ended = new Promise((resolve) => {
    answer.on('close', () => resolve({text, complete: answer.complete}));
  });
  await new Promise((resolve) => { answer.once('data', resolve).once('close', resolve); });
  return {id: answer.headers['x-request-id'], ended};
}

export const http = 'transports:\n  http: {uses: http, settings: {listen: "127.0.0.1:0"}}\n';
export const echo = `${http}backends: {echo: {uses: echo, settings: {piece_bytes: 4}}}
models: {echo: {routes: [{backend: echo}]}}
`;
