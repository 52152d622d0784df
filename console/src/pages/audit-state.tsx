import { Alert, List } from '@mantine/core';
import type { AuditState } from '../api/types.ts';
import { useMay, useRead } from '../api/use-api.ts';
import { Nothing, Section } from '../parts/page.tsx';
import { Read } from '../parts/read.tsx';
import { Moment, plural } from '../parts/words.tsx';
import { WriteButton } from '../parts/write-button.tsx';

export function TrailState() {
  const state = useRead<AuditState>('/audit/state', { everyMs: 2_500 });
  const mayVerify = useMay('operator');
  return (
    <Section
      title="Verification"
      aside={
        mayVerify && (
          <WriteButton label="Verify now" doneText="Verifying." write={() => ({ path: '/audit/verifications' })} />
        )
      }
    >
      <Read of={state}>
        {({ records, unsequenced, checkpoint, exportedAt, verification }) => (
          <>
            <Verdict of={verification} />
            <List size="sm">
              <List.Item>
                {plural(records, 'record')}
                {unsequenced > 0 && `, ${unsequenced} not numbered yet`}
              </List.Item>
              <List.Item>
                {checkpoint === null ? (
                  'No checkpoint is signed yet: a worker signs them.'
                ) : (
                  <>
                    Last checkpoint over {plural(checkpoint.size, 'record')}, signed <Moment at={checkpoint.signedAt} />
                  </>
                )}
              </List.Item>
              <List.Item>
                Last export, which takes a signed checkpoint out of this database: <Moment at={exportedAt} />
              </List.Item>
            </List>
          </>
        )}
      </Read>
    </Section>
  );
}

function Verdict({ of }: { of: AuditState['verification'] }) {
  if (of === null) return <Nothing>Nobody has verified the trail yet.</Nothing>;
  if (of.result === null) {
    return (
      <Nothing>
        {of.state === 'running' ? `${of.by} is verifying it …` : 'The last verification broke off: verify again.'}
      </Nothing>
    );
  }
  return of.result.ok ? (
    <span role="status">
      Whole and untampered: {plural(of.result.records, 'record')}, verified <Moment at={of.finishedAt} /> by {of.by}.
    </span>
  ) : (
    <Alert color="red" role="alert" title={`Not whole: ${of.result.defect}`}>
      {of.result.detail}. First bad record: {of.result.firstBadSeq ?? 'unknown'}. Keep the database as it is, and
      compare it with the last export.
    </Alert>
  );
}
