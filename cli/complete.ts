import type { Argument, Command, Option } from 'commander';
import { readEnvironment } from '#shared/config/environment.js';
import { readConfigFile } from '#shared/config/read-file.js';
import { parseYaml } from '#shared/config/yaml-file.js';
import { commandNames, createProgram } from './program.js';

// What could be written next on a command line: the answer to the scripts of completion.ts.

/** One line for each: the word, a tabulator, what it does. */
interface Candidate {
  word: string;
  about: string;
}

/** What the placeholders of options and arguments stand for. */
export interface Names {
  account: string[];
  source: string[];
}

/** The shell itself knows what files there are. */
export const filesWanted = ':files';

/** @param words after `sendoff`; the last one is being written */
export async function complete(words: string[]): Promise<void> {
  const typed = words[0] === '--' ? words.slice(1) : words;
  const answer = firstWords(typed) ?? (await laterWords(typed));
  process.stdout.write(answer.map(({ word, about }) => `${word}\t${about}\n`).join(''));
}

/** Somebody waits at the keyboard: for the names of commands none of them is loaded. null: it is not about those. */
function firstWords(typed: readonly string[]): Candidate[] | null {
  const [first = ''] = typed;
  if (typed.length > 1 || first.startsWith('-')) return null;
  return commandNames.filter((name) => name.startsWith(first)).map((word) => ({ word, about: '' }));
}

async function laterWords(typed: readonly string[]): Promise<Candidate[]> {
  const program = await createProgram(typed.slice(0, -1));
  return candidates(program, typed, () => namesIn(optionIn(typed, '--config')));
}

/** @param namesNow asked only where a name is wanted */
export function candidates(program: Command, words: readonly string[], namesNow: () => Names): Candidate[] {
  const current = words.at(-1) ?? '';
  const { command, place, open, given } = follow(program, words.slice(0, -1));
  const fitting = (all: Candidate[]) => all.filter(({ word }) => word === filesWanted || word.startsWith(current));
  if (open !== null) return fitting(valuesOf(open, namesNow));
  if (current.startsWith('-')) {
    const options = optionsOf(command).filter(({ long, variadic }) => variadic || !given.has(long ?? ''));
    const [name = ''] = current.split('=');
    const assigned = current.includes('=') ? options.find(({ long }) => long === name) : undefined;
    if (assigned === undefined) return fitting(options.map((option) => asCandidate(option.long, option.description)));
    return fitting(valuesOf(assigned, namesNow).map(({ word, about }) => ({ word: `${name}=${word}`, about })));
  }
  const subcommands = command.createHelp().visibleCommands(command);
  if (subcommands.length > 0) return fitting(subcommands.map((one) => asCandidate(one.name(), one.description())));
  const argument = command.registeredArguments[place];
  return argument === undefined ? [] : fitting(valuesOf(argument, namesNow));
}

/** Where the words before the last one lead. */
function follow(program: Command, words: readonly string[]) {
  let command = program;
  let place = 0;
  let open: Option | null = null;
  const given = new Set<string>();
  for (const word of words) {
    if (open !== null) {
      open = null;
    } else if (word.startsWith('-')) {
      const [name = ''] = word.split('=');
      const option = optionsOf(command).find(({ long, short }) => long === name || short === name);
      given.add(option?.long ?? name);
      if (option?.required === true && !word.includes('=')) open = option;
    } else {
      const sub = command.commands.find((one) => one.name() === word);
      if (sub === undefined) place += 1;
      else command = sub;
    }
  }
  return { command, place, open, given };
}

/** Its own, and those that every command has. */
function optionsOf(command: Command): Option[] {
  const help = command.createHelp();
  const options: Option[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) options.push(...help.visibleOptions(at));
  return options.filter(({ long }, index) => options.findIndex((one) => one.long === long) === index);
}

function valuesOf(wanted: Option | Argument, namesNow: () => Names): Candidate[] {
  if (wanted.argChoices !== undefined) return wanted.argChoices.map((word) => ({ word, about: '' }));
  const placeholder = 'flags' in wanted ? /<([\w-]+)/.exec(wanted.flags)?.[1] : wanted.name();
  if (placeholder === 'file') return [{ word: filesWanted, about: '' }];
  if (placeholder !== 'account' && placeholder !== 'source') return [];
  return namesNow()[placeholder].map((word) => ({ word, about: '' }));
}

function asCandidate(word: string | undefined, description: string): Candidate {
  return { word: word ?? '', about: description.split('\n')[0] ?? '' };
}

function optionIn(words: readonly string[], name: string): string | undefined {
  const at = words.indexOf(name);
  return at === -1 ? undefined : words[at + 1];
}

/** Names as they stand in sendoff.yaml, whether or not the rest of it is valid; nothing where there is none. */
function namesIn(named: string | undefined): Names {
  const keysOf = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : []);
  try {
    const path = named ?? readEnvironment(process.env).configPath ?? 'sendoff.yaml';
    const { accounts, sources } = parseYaml(readConfigFile(path), path).toData() as Record<string, unknown>;
    return { account: keysOf(accounts), source: keysOf(sources) };
  } catch {
    return { account: [], source: [] };
  }
}
