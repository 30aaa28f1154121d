// SPDX-License-Identifier: Apache-2.0
// Refusals in OpenAI's envelope, and the checks of members that several operations share.

export class ApiError extends Error {
  constructor(status, message, {param = null, code = null, type = 'invalid_request_error'} = {}) {
    super(message);
    this.status = status;
    this.body = {error: {message, type, param, code}};
  }
}

export function refuse(message, param = null, code = null) {
  throw new ApiError(400, message, {param, code});
}

export const given = (value) => value !== undefined && value !== null;

export function need(body, param) {
  if (given(body[param])) return body[param];
  return refuse(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter');
}

export function text(body, param) {
  const value = need(body, param);
  if (typeof value !== 'string') refuse(`'${param}' must be a string.`, param, 'invalid_type');
  if (value === '') refuse(`'${param}' must not be empty.`, param, 'invalid_value');
  return value;
}

export function number(body, param, low, high, {whole = false} = {}) {
  const value = body[param];
  if (!given(value)) return undefined;
  if (typeof value !== 'number' || (whole && !Number.isInteger(value))) {
    refuse(`'${param}' must be ${whole ? 'an integer' : 'a number'}.`, param, 'invalid_type');
  }
  if (value < low || value > high) {
    refuse(`'${param}' must be between ${low} and ${high}.`, param, 'invalid_value');
  }
  return value;
}

export function one_of(body, param, values, fallback) {
  const value = body[param];
  if (!given(value)) return fallback;
  if (!values.includes(value)) {
    refuse(`'${param}' must be one of ${values.join(', ')}.`, param, 'invalid_value');
  }
  return value;
}
