"""Canvas, panes, windowing, colour maps: knows arrays, no file and no engine."""
