// The parts of Okta's SDK that are used, which it gives no types (decision 0028).

declare module '@okta/okta-sdk-nodejs/src/http.js' {
  export class Http {
    constructor(options: { requestExecutor: unknown; oauth: unknown; cacheMiddleware: null });
    defaultHeaders: Record<string, string>;
    http(
      url: string,
      request: {
        method?: string;
        headers: Record<string, string>;
        body?: string;
        redirect: 'error';
        /** Bytes at the most. */
        size: number;
      },
    ): Promise<{ text(): Promise<string>; headers: { get(name: string): string | null } }>;
  }
}

declare module '@okta/okta-sdk-nodejs/src/default-request-executor.js' {
  export class DefaultRequestExecutor {
    /** @param options.requestTimeout in ms */
    constructor(options: { requestTimeout: number; maxRetries: number });
  }
}

declare module '@okta/okta-sdk-nodejs/src/oauth.js' {
  /** Tokens for a service app: private_key_jwt, with DPoP where the org asks for it. */
  export class OAuth {
    constructor(app: {
      baseUrl: string;
      clientId: string;
      privateKey: string | object;
      keyId?: string;
      scopes: string[];
      requestExecutor: unknown;
    });
  }
}
