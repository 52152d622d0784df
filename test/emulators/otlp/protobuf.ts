// As much of protobuf and of opentelemetry-proto's trace/v1/trace.proto as a test asks after.

type Field = Buffer | bigint;

/** A message's fields by number, each in the order in which it came. */
function fieldsOf(bytes: Buffer): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const read: Record<number, () => Field> = {
    0: varint,
    1: () => take(8).readBigUInt64LE(),
    2: () => take(Number(varint())),
    5: () => BigInt(take(4).readUInt32LE()),
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const value = read[tag & 7]?.();
    if (value === undefined) throw new Error(`wire type ${tag & 7} is unknown`);
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const messages = (bytes: Buffer, field: number) => (fieldsOf(bytes).get(field) ?? []) as Buffer[];
const hex = (bytes: Field | undefined) => (Buffer.isBuffer(bytes) ? bytes.toString('hex') : '');
const text = (bytes: Field | undefined) => (Buffer.isBuffer(bytes) ? bytes.toString() : '');

export interface ReceivedSpan {
  service: string;
  role: string;
  scope: string;
  traceId: string;
  spanId: string;
  /** '': it begins the trace. */
  parentId: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  attributes: Record<string, string | number | boolean>;
  events: number;
  /** Of other traces. */
  links: string[];
  /** 2: error. */
  status: { code: number; message: string };
}

/** The spans of an ExportTraceServiceRequest. */
export function decodeSpans(body: Buffer): ReceivedSpan[] {
  return messages(body, 1).flatMap((resourceSpans) => {
    const [resource = Buffer.alloc(0)] = messages(resourceSpans, 1);
    const about = attributesOf(messages(resource, 1));
    return messages(resourceSpans, 2).flatMap((scopeSpans) => {
      const [scope = Buffer.alloc(0)] = messages(scopeSpans, 1);
      return messages(scopeSpans, 2).map((span) => ({
        service: String(about['service.name']),
        role: String(about['sendoff.role']),
        scope: text(fieldsOf(scope).get(1)?.[0]),
        ...spanOf(span),
      }));
    });
  });
}

function spanOf(bytes: Buffer): Omit<ReceivedSpan, 'service' | 'role' | 'scope'> {
  const fields = fieldsOf(bytes);
  const one = (field: number) => fields.get(field)?.[0];
  const status = fieldsOf((one(15) as Buffer | undefined) ?? Buffer.alloc(0));
  return {
    traceId: hex(one(1)),
    spanId: hex(one(2)),
    parentId: hex(one(4)),
    name: text(one(5)),
    kind: Number(one(6) ?? 0n),
    attributes: attributesOf((fields.get(9) ?? []) as Buffer[]),
    events: fields.get(11)?.length ?? 0,
    links: ((fields.get(13) ?? []) as Buffer[]).map((link) => hex(fieldsOf(link).get(1)?.[0])),
    status: { code: Number(status.get(3)?.[0] ?? 0n), message: text(status.get(2)?.[0]) },
  };
}

function attributesOf(pairs: Buffer[]): ReceivedSpan['attributes'] {
  return Object.fromEntries(
    pairs.map((pair) => {
      const fields = fieldsOf(pair);
      return [text(fields.get(1)?.[0]), anyValue(fields.get(2)?.[0] as Buffer)];
    }),
  );
}

function anyValue(bytes: Buffer): string | number | boolean {
  const [[field, [value]] = [0, []]] = fieldsOf(bytes);
  if (field === 2) return value === 1n;
  if (field === 4) return doubleOf(value as bigint);
  return Buffer.isBuffer(value) ? value.toString() : Number(value);
}

function doubleOf(bits: bigint): number {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(bits);
  return bytes.readDoubleLE();
}
