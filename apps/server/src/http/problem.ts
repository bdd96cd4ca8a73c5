/** Errors as `application/problem+json` (RFC 9457). What a client is told names no path, no stack and no value. */
import type { FastifyReply } from 'fastify';

/** Type of the body. */
export const PROBLEM_TYPE = 'application/problem+json';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Sends a problem. @param more  fields besides */
export function sendProblem(
  reply: FastifyReply,
  status: number,
  detail: string,
  more: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const title = TITLES[status] ?? 'Error';
  const body = { type: 'about:blank', title, status, detail, requestId: reply.request.id, ...more };
  return reply.code(status).type(PROBLEM_TYPE).send(body);
}
