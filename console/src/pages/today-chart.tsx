import '@mantine/charts/styles.css';
import { LineChart } from '@mantine/charts';
import { useReducedMotion } from '@mantine/hooks';
import type { Overview } from '../api/types.ts';
import { duration } from '../parts/words.tsx';

/** Loaded by itself: charts weigh as much as the rest of the page. */
export function TimesChart({ days, slaSeconds }: { days: Overview['timeToDeprovision']['days']; slaSeconds: number }) {
  const still = useReducedMotion();
  const data = days.map(({ day, p50Seconds, p95Seconds }) => ({ day, p50: p50Seconds ?? 0, p95: p95Seconds ?? 0 }));
  const last = days.at(-1);
  const top = Math.max(slaSeconds, ...data.map(({ p95 }) => p95));
  return (
    <figure
      style={{ margin: 0 }}
      aria-label={`p50 and p95 by day against the SLA; on ${last?.day}: p50 ${duration(last?.p50Seconds ?? 0)}, p95 ${duration(last?.p95Seconds ?? 0)}`}
    >
      <LineChart
        h={220}
        data={data}
        dataKey="day"
        withLegend
        curveType="linear"
        series={[
          { name: 'p50', color: 'teal.6' },
          { name: 'p95', color: 'indigo.5' },
        ]}
        referenceLines={[{ y: slaSeconds, label: 'SLA', color: 'red.6' }]}
        valueFormatter={duration}
        lineProps={{ isAnimationActive: !still }}
        yAxisProps={{ domain: [0, top], ticks: [0, top / 3, (2 * top) / 3, top] }}
      />
    </figure>
  );
}
