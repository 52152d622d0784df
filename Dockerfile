# Built output and production packages only; runs as a user without rights.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production SENDOFF_DATA=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
ENV HOST=0.0.0.0
# The configuration is mounted: -v ./sendoff.yaml:/app/sendoff.yaml:ro
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["up"]
