import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { ConfigError, oneLine } from './config-error.js';

type Path = readonly PropertyKey[];

/** A value of the file with the place its key stands at. */
interface Entry {
  path: string[];
  node: Node | null;
  offset: number;
}

/** A mistake and where it is. */
export interface Problem {
  offset: number;
  text: string;
}

/** A YAML file whose values are known by where they stand. */
export interface YamlFile {
  root: Node | null;
  /** Every value, aliases not followed. */
  entries(): Entry[];
  /** What is at a path; for a missing key `node` is undefined and `offset` that of its parent. */
  find(path: Path): { node: Node | null | undefined; offset: number };
  /** The values as plain data. @throws ConfigError when aliases multiply, miss their anchor or contain themselves */
  toData(): unknown;
  /** The mistakes as lines, in the order of the file. */
  error(problems: readonly Problem[]): ConfigError;
}

/** Deeper than any configuration; the parser's recursion would end the process at some thousands. */
const maxDepth = 32;

/** @throws ConfigError with a line for each place that is no YAML */
export function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const error = (problems: readonly Problem[]) =>
    new ConfigError(
      [...problems]
        .sort((a, b) => a.offset - b.offset)
        .map((problem) => {
          const { line, col } = lines.linePos(problem.offset);
          // Before the file has been parsed no line is known.
          return oneLine(`${file}:${line || 1}:${col || 1} ${problem.text}`);
        }),
    );
  if (depthOf(mask(text)) > maxDepth)
    throw error([{ offset: 0, text: 'YAML: is nested too deeply (sendoff.example.yaml shows every key)' }]);
  const document = parseDocument(mask(text), { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) throw error(mistakes.map(syntaxProblem));

  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string') node.value = unmask(node.value);
    },
  });
  const root = document.contents as Node | null;
  const follow = (node: Node | null) => (isAlias(node) ? (node.resolve(document) ?? null) : node);
  return {
    root,
    entries: () => [...entriesOf(root, [])],
    find(path) {
      let node: Node | null | undefined = root;
      let offset = startOf(root);
      for (const key of path) {
        const child = childOf(follow(node ?? null), String(key));
        if (child === undefined) return { node: undefined, offset };
        node = child.node;
        offset = child.offset;
      }
      return { node, offset };
    },
    toData() {
      const alias = firstAlias(root);
      const badAlias = {
        offset: alias === null ? 0 : startOf(alias),
        text: 'YAML: an alias that leads nowhere, to itself or to too much (write the value out)',
      };
      if (hasLoop(root, follow)) throw error([badAlias]);
      try {
        return document.toJS({ maxAliasCount: 100 });
      } catch {
        throw error([badAlias]);
      }
    },
    error,
  };
}

/** In YAML `[${A}, ${B}]` would open a map at each brace: characters for private use, as many, stand in while it is parsed. */
function mask(text: string): string {
  return text.replace(/\$\{([^{}\s]*)\}/g, '$\ue000$1\ue001');
}

function unmask(text: string): string {
  return text.replaceAll('\ue000', '{').replaceAll('\ue001', '}');
}

function* entriesOf(node: Node | null, path: string[]): Generator<Entry> {
  if (isMap(node)) {
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const own = [...path, keyText(pair.key)];
      yield { path: own, node: pair.value, offset: startOf(pair.key) };
      yield* entriesOf(pair.value, own);
    }
  }
  if (isSeq(node)) {
    for (const [index, item] of (node.items as Node[]).entries()) {
      const own = [...path, String(index)];
      yield { path: own, node: item, offset: startOf(item) };
      yield* entriesOf(item, own);
    }
  }
}

function childOf(node: Node | null, key: string): { node: Node | null; offset: number } | undefined {
  if (isMap(node)) {
    const pair = (node.items as Pair<Node, Node | null>[]).find((one) => keyText(one.key) === key);
    return pair === undefined ? undefined : { node: pair.value, offset: startOf(pair.key) };
  }
  const item = isSeq(node) ? (node.items[Number(key)] as Node | undefined) : undefined;
  return item === undefined ? undefined : { node: item, offset: startOf(item) };
}

function keyText(key: Node | null): string {
  return isScalar(key) ? String(key.value) : '';
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

function firstAlias(root: Node | null): Node | null {
  let found: Node | null = null;
  if (root !== null) {
    visit(root, {
      Alias(_key, node) {
        found = node;
        return visit.BREAK;
      },
    });
  }
  return found;
}

/** Does a value contain itself through an alias? Values of no depth can't. */
function hasLoop(root: Node | null, follow: (node: Node | null) => Node | null): boolean {
  const open = new Set<Node>();
  const done = new Set<Node>();
  const search = (start: Node | null): boolean => {
    const node = follow(start);
    if (node === null || done.has(node)) return false;
    if (open.has(node)) return true;
    open.add(node);
    const inside = isMap(node) ? node.items.map((pair) => pair.value) : isSeq(node) ? node.items : [];
    const found = inside.some((item) => search(item as Node | null));
    open.delete(node);
    done.add(node);
    return found;
  };
  return search(root);
}

/** An upper bound of the nesting that the tokens of one line or of open brackets cause. */
function depthOf(text: string): number {
  let deepest = 0;
  let brackets = 0;
  let onLine = 0;
  for (const token of new Lexer().lex(text)) {
    if (token.includes('\n')) onLine = 0;
    if (token === '[' || token === '{') brackets += 1;
    if (token === ']' || token === '}') brackets -= 1;
    if (token === '-' || token === '?' || token === ':') onLine += 1;
    // Inside brackets a line may hold many pairs side by side.
    deepest = Math.max(deepest, brackets, brackets > 0 ? 0 : onLine);
  }
  return deepest;
}

const syntaxTexts: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'this key is there twice (remove one of the two)',
  TAB_AS_INDENT: 'a tab cannot indent (use blanks)',
  MULTIPLE_DOCS: 'a second document begins (remove the line ---)',
  TAG_RESOLVE_FAILED: 'tags such as !name are not known (remove it)',
  MULTILINE_IMPLICIT_KEY: 'a key has no blank after its colon, or the indentation is off (write key: value)',
  BLOCK_AS_IMPLICIT_KEY: 'two keys on one line, or the indentation is off (put a text that holds ": " in quotes)',
  BAD_SCALAR_START: 'a text cannot begin with this character (put it in quotes)',
};

/** The parser's own words can quote the file, and so a secret: only its codes are used. */
function syntaxProblem({ code, pos }: YAMLError): Problem {
  return {
    offset: pos[0],
    text: `YAML: ${syntaxTexts[code] ?? `cannot be read from here: ${code.toLowerCase().replaceAll('_', ' ')} (mind indentation, quotes and brackets)`}`,
  };
}
