import { Text } from '@mantine/core';
import type { Action, Snapshot } from '../api/types.ts';
import { Small } from './words.tsx';

/** One wanted condition, in words: what, where, whose, from what to what. */
export function ChangeText({ of }: { of: Action }) {
  const { kind, footprint, account, subuser, target, label, to, before, after, reason } = of;
  return (
    <div>
      <Text className="break">
        {kind} {footprint} <b>{label ?? target}</b> in {account}
        {subuser === null ? '' : ` / ${subuser}`}
        {to === null ? '' : `, to ${to}`}
      </Text>
      {(before !== null || after !== null) && (
        <Small>
          {describe(before)} → {describe(after)}
        </Small>
      )}
      <Small>{reason}</Small>
    </div>
  );
}

function describe(snapshot: Snapshot): string {
  if (snapshot === null) return 'nothing';
  if ('fields' in snapshot) {
    return Object.entries(snapshot.fields)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ');
  }
  if (snapshot.admin) return 'full access';
  const subusers = snapshot.subusers === null ? '' : `, ${snapshot.subusers.length} subusers`;
  return snapshot.scopes.length > 4
    ? `${snapshot.scopes.length} scopes${subusers}`
    : `${snapshot.scopes.join(', ') || 'no scopes'}${subusers}`;
}
