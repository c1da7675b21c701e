/** An error of the REST API: HTTP status, Twilio's code and a message, sent in Twilio's JSON form. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** The body that the SDK turns into its `RestException`. */
  body(): Readonly<Record<string, unknown>> {
    return {
      code: this.code,
      message: this.message,
      more_info: `https://www.twilio.com/docs/errors/${this.code}`,
      status: this.status,
    };
  }
}

export const unauthorized = () => new ApiError(401, 20003, 'Authenticate');
export const tooManyRequests = () => new ApiError(429, 20429, 'Too Many Requests');
export const internalError = () => new ApiError(500, 20500, 'Internal Server Error');
export const notFound = (path: string) => new ApiError(404, 20404, `The requested resource ${path} was not found`);
