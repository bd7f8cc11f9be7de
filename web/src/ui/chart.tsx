/** Draws an ECharts chart; only the parts that the pages use are taken in. */
import { LineChart, type LineSeriesOption, ScatterChart, type ScatterSeriesOption } from "echarts/charts";
import {
  DataZoomComponent,
  type DataZoomComponentOption,
  GridComponent,
  type GridComponentOption,
  LegendComponent,
  type LegendComponentOption,
  MarkLineComponent,
  type MarkLineComponentOption,
  TooltipComponent,
  type TooltipComponentOption,
} from "echarts/components";
import { type ComposeOption, type ECharts, init, use as take } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";

take([
  LineChart,
  ScatterChart,
  GridComponent,
  TooltipComponent,
  LegendComponent,
  MarkLineComponent,
  DataZoomComponent,
  CanvasRenderer,
]);

/** A canvas knows no CSS variables; the same stack stands in app.css. */
const FONT = '"Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif';

export type ChartOption = ComposeOption<
  | LineSeriesOption
  | ScatterSeriesOption
  | GridComponentOption
  | TooltipComponentOption
  | LegendComponentOption
  | MarkLineComponentOption
  | DataZoomComponentOption
>;

export function Chart({
  option,
  label,
  height = 320,
  onPoint,
}: {
  option: ChartOption;
  /** What the chart shows, for who cannot see it. */
  label: string;
  height?: number;
  /** Called with the index of a clicked point of the first series. */
  onPoint?: (index: number) => void;
}) {
  const field = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const latest = useRef(onPoint);
  latest.current = onPoint;

  useEffect(() => {
    if (!field.current) return;
    const made = init(field.current);
    chart.current = made;
    made.on("click", (event) => {
      if (event.seriesIndex === 0 && event.dataIndex !== undefined) latest.current?.(event.dataIndex);
    });
    const watcher = new ResizeObserver(() => made.resize());
    watcher.observe(field.current);
    return () => {
      watcher.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption({ textStyle: { fontFamily: FONT }, ...option }, { replaceMerge: ["series"] });
  }, [option]);

  return <div ref={field} role="img" aria-label={label} style={{ height, width: "100%" }} />;
}

/** Font and colours of axes, shared by all charts. */
export const AXIS = {
  axisLine: { lineStyle: { color: "#b7c6cb" } },
  axisLabel: { color: "#5d7078" },
  splitLine: { lineStyle: { color: "#e8eef0" } },
} as const;
