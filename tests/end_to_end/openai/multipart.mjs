// SPDX-License-Identifier: Apache-2.0
// multipart/form-data into parts (RFC 7578, RFC 2046 5.1.1), strictly; bytes stay bytes.
import {refuse} from './errors.mjs';

const kBoundary = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;

function parameter(line, name) {
  const found = new RegExp(`;\\s*${name}=(?:"((?:\\\\.|[^"\\\\])*)"|([^;\\s]*))`, 'i').exec(line);
  return found ? found[1] ?? found[2] : undefined;
}

function part_of(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) refuse('A part of the form has no end of its headers.');
  const headers = {};
  for (const line of bytes.subarray(0, end).toString('utf8').split('\r\n').filter(Boolean)) {
    const colon = line.indexOf(':');
    if (colon < 1) refuse('A header of a part of the form is malformed.');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const disposition = headers['content-disposition'] ?? '';
  const name = parameter(disposition, 'name');
  if (!/^form-data\b/i.test(disposition) || name === undefined) {
    refuse('A part of the form has no name.');
  }
  return {name, filename: parameter(disposition, 'filename'), headers,
    content: bytes.subarray(end + 4)};
}

// {parts, fields}: parts in their order, fields the texts among them.
export function read_form(type, bytes) {
  const boundary = kBoundary.exec(type ?? '');
  if (!boundary) refuse('Expected a form (multipart/form-data) with a boundary.');
  const mark = Buffer.from(`\r\n--${boundary[1] ?? boundary[2]}`);
  const body = Buffer.concat([Buffer.from('\r\n'), bytes]);
  const parts = [];
  for (let at = body.indexOf(mark); ;) {
    if (at < 0) refuse('The form is not complete.');
    const begin = at + mark.length;
    if (body.subarray(begin, begin + 2).toString('latin1') === '--') break;
    const line = body.indexOf('\r\n', begin);
    if (line < 0 || /[^ \t]/.test(body.subarray(begin, line).toString('latin1'))) {
      at = body.indexOf(mark, begin);
      continue;
    }
    at = body.indexOf(mark, line);
    if (at < 0) refuse('The form is not complete.');
    parts.push(part_of(body.subarray(line + 2, Math.max(line + 2, at))));
  }
  const fields = new Map(parts.filter(({filename}) => filename === undefined)
    .map(({name, content}) => [name, content.toString('utf8')]));
  return {parts, fields};
}
