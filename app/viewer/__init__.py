"""Canvas, panes, windowing and colour maps, for arrays; independent of files and engines."""
