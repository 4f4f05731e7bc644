<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
 <context>
  <name>Actions</name>
  <message>
   <source>&amp;Compare</source>
   <translation>&amp;Vergleichen</translation>
  </message>
  <message>
   <source>&amp;Display</source>
   <translation>&amp;Darstellung</translation>
  </message>
  <message>
   <source>&amp;File</source>
   <translation>&amp;Datei</translation>
  </message>
  <message>
   <source>&amp;Help</source>
   <translation>&amp;Hilfe</translation>
  </message>
  <message>
   <source>&amp;Pairs</source>
   <translation>&amp;Paare</translation>
  </message>
  <message>
   <source>&amp;View</source>
   <translation>&amp;Ansicht</translation>
  </message>
  <message>
   <source>Actual size (1:1)</source>
   <translation>Originalgröße (1:1)</translation>
  </message>
  <message>
   <source>Appearance</source>
   <translation>Erscheinungsbild</translation>
  </message>
  <message>
   <source>As the system</source>
   <translation>Wie das System</translation>
  </message>
  <message>
   <source>Batch workspace</source>
   <translation>Arbeitsbereich Stapel</translation>
  </message>
  <message>
   <source>Blink (hold)</source>
   <translation>Wechselbild (halten)</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>Change keyboard shortcuts…</source>
   <translation>Tastenkürzel ändern…</translation>
  </message>
  <message>
   <source>Checkerboard</source>
   <translation>Schachbrett</translation>
  </message>
  <message>
   <source>Command palette…</source>
   <translation>Befehlspalette…</translation>
  </message>
  <message>
   <source>Compare</source>
   <translation>Vergleichen</translation>
  </message>
  <message>
   <source>Copy fused picture</source>
   <translation>Fusioniertes Bild kopieren</translation>
  </message>
  <message>
   <source>Crosshair</source>
   <translation>Fadenkreuz</translation>
  </message>
  <message>
   <source>Curtain</source>
   <translation>Vorhang</translation>
  </message>
  <message>
   <source>Dark</source>
   <translation>Dunkel</translation>
  </message>
  <message>
   <source>Difference</source>
   <translation>Differenz</translation>
  </message>
  <message>
   <source>Display</source>
   <translation>Darstellung</translation>
  </message>
  <message>
   <source>Evaluate workspace</source>
   <translation>Arbeitsbereich Bewerten</translation>
  </message>
  <message>
   <source>Export…</source>
   <translation>Exportieren…</translation>
  </message>
  <message>
   <source>F&amp;use</source>
   <translation>F&amp;usion</translation>
  </message>
  <message>
   <source>File</source>
   <translation>Datei</translation>
  </message>
  <message>
   <source>Fit pictures</source>
   <translation>Bilder einpassen</translation>
  </message>
  <message>
   <source>Fuse</source>
   <translation>Fusionieren</translation>
  </message>
  <message>
   <source>Fuse workspace</source>
   <translation>Arbeitsbereich Fusion</translation>
  </message>
  <message>
   <source>Help</source>
   <translation>Hilfe</translation>
  </message>
  <message>
   <source>Invert grey values</source>
   <translation>Grauwerte umkehren</translation>
  </message>
  <message>
   <source>Keyboard shortcuts</source>
   <translation>Tastenkürzel</translation>
  </message>
  <message>
   <source>Language</source>
   <translation>Sprache</translation>
  </message>
  <message>
   <source>Light</source>
   <translation>Hell</translation>
  </message>
  <message>
   <source>Magnifier</source>
   <translation>Lupe</translation>
  </message>
  <message>
   <source>Maximise pane</source>
   <translation>Bild groß zeigen</translation>
  </message>
  <message>
   <source>Next pair</source>
   <translation>Nächstes Paar</translation>
  </message>
  <message>
   <source>Next patient</source>
   <translation>Nächster Patient</translation>
  </message>
  <message>
   <source>Next slice</source>
   <translation>Nächste Schicht</translation>
  </message>
  <message>
   <source>Open sample pair</source>
   <translation>Beispielpaar öffnen</translation>
  </message>
  <message>
   <source>Open…</source>
   <translation>Öffnen…</translation>
  </message>
  <message>
   <source>Overlay</source>
   <translation>Überlagerung</translation>
  </message>
  <message>
   <source>Overlay less opaque</source>
   <translation>Überlagerung durchsichtiger</translation>
  </message>
  <message>
   <source>Overlay more opaque</source>
   <translation>Überlagerung deckender</translation>
  </message>
  <message>
   <source>Pairs</source>
   <translation>Paare</translation>
  </message>
  <message>
   <source>Previous pair</source>
   <translation>Voriges Paar</translation>
  </message>
  <message>
   <source>Previous patient</source>
   <translation>Voriger Patient</translation>
  </message>
  <message>
   <source>Previous slice</source>
   <translation>Vorige Schicht</translation>
  </message>
  <message>
   <source>Quit</source>
   <translation>Beenden</translation>
  </message>
  <message>
   <source>Redo display change</source>
   <translation>Darstellung wiederholen</translation>
  </message>
  <message>
   <source>Reopen it at every start</source>
   <translation>Bei jedem Start wieder öffnen</translation>
  </message>
  <message>
   <source>Reopen last session</source>
   <translation>Letzte Sitzung wieder öffnen</translation>
  </message>
  <message>
   <source>Research use only</source>
   <translation>Nur für die Forschung</translation>
  </message>
  <message>
   <source>Save fused…</source>
   <translation>Fusion speichern…</translation>
  </message>
  <message>
   <source>Swap A and B</source>
   <translation>A und B tauschen</translation>
  </message>
  <message>
   <source>Ten slices back</source>
   <translation>Zehn Schichten zurück</translation>
  </message>
  <message>
   <source>Ten slices on</source>
   <translation>Zehn Schichten weiter</translation>
  </message>
  <message>
   <source>Train workspace</source>
   <translation>Arbeitsbereich Training</translation>
  </message>
  <message>
   <source>Undo display change</source>
   <translation>Darstellung zurücknehmen</translation>
  </message>
  <message>
   <source>View</source>
   <translation>Ansicht</translation>
  </message>
  <message>
   <source>Window preset {0}</source>
   <translation>Fenstervorgabe {0}</translation>
  </message>
  <message>
   <source>Workspaces</source>
   <translation>Arbeitsbereiche</translation>
  </message>
 </context>
 <context>
  <name>CompareBar</name>
  <message>
   <source>1 All six</source>
   <translation>1 Alle sechs</translation>
  </message>
  <message>
   <source>2 Row</source>
   <translation>2 Reihe</translation>
  </message>
  <message>
   <source>3 Large</source>
   <translation>3 Groß</translation>
  </message>
  <message>
   <source>4 Alone</source>
   <translation>4 Allein</translation>
  </message>
  <message>
   <source>Blink</source>
   <translation>Wechselbild</translation>
  </message>
  <message>
   <source>Checkerboard</source>
   <translation>Schachbrett</translation>
  </message>
  <message>
   <source>Compare</source>
   <translation>Vergleichen</translation>
  </message>
  <message>
   <source>Curtain</source>
   <translation>Vorhang</translation>
  </message>
  <message>
   <source>Difference</source>
   <translation>Differenz</translation>
  </message>
  <message>
   <source>First picture</source>
   <translation>Erstes Bild</translation>
  </message>
  <message>
   <source>Layout</source>
   <translation>Anordnung</translation>
  </message>
  <message>
   <source>No compare</source>
   <translation>Kein Vergleich</translation>
  </message>
  <message>
   <source>Opacity</source>
   <translation>Deckkraft</translation>
  </message>
  <message>
   <source>Overlay</source>
   <translation>Überlagerung</translation>
  </message>
  <message>
   <source>Range of the difference</source>
   <translation>Bereich der Differenz</translation>
  </message>
  <message>
   <source>Results of this pair</source>
   <translation>Ergebnisse dieses Paares</translation>
  </message>
  <message>
   <source>Second picture</source>
   <translation>Zweites Bild</translation>
  </message>
 </context>
 <context>
  <name>Controller</name>
  <message>
   <source>Cancelling…</source>
   <translation>Wird abgebrochen…</translation>
  </message>
  <message>
   <source>Open two pictures first: drop them here or Ctrl+O.</source>
   <translation>Erst zwei Bilder öffnen: hier ablegen oder Strg+O.</translation>
  </message>
  <message>
   <source>Reading pictures</source>
   <translation>Bilder werden gelesen</translation>
  </message>
  <message>
   <source>Waiting for the engine</source>
   <translation>Warten auf den Rechenkern</translation>
  </message>
 </context>
 <context>
  <name>DeviceChip</name>
  <message>
   <source>Device: {0}. {1}</source>
   <translation>Gerät: {0}. {1}</translation>
  </message>
  <message>
   <source>Device…</source>
   <translation>Gerät…</translation>
  </message>
  <message>
   <source>The engine is starting.</source>
   <translation>Der Rechenkern startet.</translation>
  </message>
 </context>
 <context>
  <name>DisplayTab</name>
  <message>
   <source>0–1, no unit</source>
   <translation>0–1, ohne Einheit</translation>
  </message>
  <message>
   <source>A colour picture keeps its own colours.</source>
   <translation>Ein farbiges Bild behält seine eigenen Farben.</translation>
  </message>
  <message>
   <source>Auto</source>
   <translation>Automatisch</translation>
  </message>
  <message>
   <source>Display of {0}</source>
   <translation>Darstellung von {0}</translation>
  </message>
  <message>
   <source>Fused</source>
   <translation>Fusion</translation>
  </message>
  <message>
   <source>Grey</source>
   <translation>Grau</translation>
  </message>
  <message>
   <source>High</source>
   <translation>Oben</translation>
  </message>
  <message>
   <source>High end of the window</source>
   <translation>Oberes Ende des Fensters</translation>
  </message>
  <message>
   <source>Hot iron</source>
   <translation>Glühendes Eisen</translation>
  </message>
  <message>
   <source>Inferno</source>
   <translation>Inferno</translation>
  </message>
  <message>
   <source>Inverted grey</source>
   <translation>Grau umgekehrt</translation>
  </message>
  <message>
   <source>Level</source>
   <translation>Mitte</translation>
  </message>
  <message>
   <source>Level: middle of the window</source>
   <translation>Mitte des Fensters</translation>
  </message>
  <message>
   <source>Low</source>
   <translation>Unten</translation>
  </message>
  <message>
   <source>Low end of the window</source>
   <translation>Unteres Ende des Fensters</translation>
  </message>
  <message>
   <source>PET</source>
   <translation>PET</translation>
  </message>
  <message>
   <source>PET rainbow</source>
   <translation>PET-Regenbogen</translation>
  </message>
  <message>
   <source>Palette</source>
   <translation>Palette</translation>
  </message>
  <message>
   <source>The middle 98 % of the pixels</source>
   <translation>Die mittleren 98 % der Pixel</translation>
  </message>
  <message>
   <source>Unit: {0}</source>
   <translation>Einheit: {0}</translation>
  </message>
  <message>
   <source>Viridis</source>
   <translation>Viridis</translation>
  </message>
  <message>
   <source>Whole range</source>
   <translation>Ganzer Bereich</translation>
  </message>
  <message>
   <source>Width</source>
   <translation>Breite</translation>
  </message>
  <message>
   <source>Width of the window</source>
   <translation>Breite des Fensters</translation>
  </message>
 </context>
 <context>
  <name>ErrorCard</name>
  <message>
   <source>Copy a description for a report; file names are left out</source>
   <translation>Eine Beschreibung für eine Meldung kopieren; Dateinamen bleiben weg</translation>
  </message>
  <message>
   <source>Copy details</source>
   <translation>Einzelheiten kopieren</translation>
  </message>
  <message>
   <source>Dismiss error</source>
   <translation>Fehler ausblenden</translation>
  </message>
 </context>
 <context>
  <name>ExportDialog</name>
  <message>
   <source>Choose…</source>
   <translation>Wählen…</translation>
  </message>
  <message>
   <source>Export</source>
   <translation>Exportieren</translation>
  </message>
  <message>
   <source>Features of A, as shown</source>
   <translation>Merkmale von A, wie gezeigt</translation>
  </message>
  <message>
   <source>Features of B, as shown</source>
   <translation>Merkmale von B, wie gezeigt</translation>
  </message>
  <message>
   <source>Figure: side by side, with legend</source>
   <translation>Abbildung: nebeneinander, mit Legende</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Folder to export to</source>
   <translation>Zielordner des Exports</translation>
  </message>
  <message>
   <source>Format</source>
   <translation>Format</translation>
  </message>
  <message>
   <source>Fused picture</source>
   <translation>Fusioniertes Bild</translation>
  </message>
  <message>
   <source>How each picture was made is written into its file. Sources are never touched.</source>
   <translation>Wie jedes Bild entstand, wird in seine Datei geschrieben. Quellen werden nie verändert.</translation>
  </message>
  <message>
   <source>JPEG (8 bit, lossy)</source>
   <translation>JPEG (8 Bit, verlustbehaftet)</translation>
  </message>
  <message>
   <source>Name</source>
   <translation>Name</translation>
  </message>
  <message>
   <source>Only models have these.</source>
   <translation>Nur Modelle haben sie.</translation>
  </message>
  <message>
   <source>PNG (depth of the sources)</source>
   <translation>PNG (Tiefe der Quellen)</translation>
  </message>
  <message>
   <source>Reconstruction of A</source>
   <translation>Rekonstruktion von A</translation>
  </message>
  <message>
   <source>Reconstruction of B</source>
   <translation>Rekonstruktion von B</translation>
  </message>
  <message>
   <source>TIFF, 16 bit</source>
   <translation>TIFF, 16 Bit</translation>
  </message>
  <message>
   <source>The name is empty or has signs files cannot have.</source>
   <translation>Der Name ist leer oder enthält Zeichen, die in Dateinamen nicht gehen.</translation>
  </message>
  <message>
   <source>There is no such folder.</source>
   <translation>Diesen Ordner gibt es nicht.</translation>
  </message>
  <message>
   <source>Will be replaced: {0}</source>
   <translation>Wird ersetzt: {0}</translation>
  </message>
 </context>
 <context>
  <name>FeaturePane</name>
  <message>
   <source>Channel</source>
   <translation>Kanal</translation>
  </message>
  <message>
   <source>Colours</source>
   <translation>Farben</translation>
  </message>
  <message>
   <source>Colours: the three main directions of all channels as red, green and blue, the same for A and B.
Mean: average of all channels.
Channel: one channel alone.</source>
   <translation>Farben: die drei Hauptrichtungen aller Kanäle als Rot, Grün und Blau, für A und B dieselben.
Mittel: Mittelwert aller Kanäle.
Kanal: ein Kanal allein.</translation>
  </message>
  <message>
   <source>Feature channel</source>
   <translation>Merkmalskanal</translation>
  </message>
  <message>
   <source>Feature view</source>
   <translation>Merkmalsansicht</translation>
  </message>
  <message>
   <source>Features of source A</source>
   <translation>Merkmale von Quelle A</translation>
  </message>
  <message>
   <source>Features of source B</source>
   <translation>Merkmale von Quelle B</translation>
  </message>
  <message>
   <source>Mean</source>
   <translation>Mittel</translation>
  </message>
  <message>
   <source>Which channel</source>
   <translation>Welcher Kanal</translation>
  </message>
 </context>
 <context>
  <name>FeaturesTab</name>
  <message>
   <source>Average of all channels</source>
   <translation>Mittelwert aller Kanäle</translation>
  </message>
  <message>
   <source>Channel</source>
   <translation>Kanal</translation>
  </message>
  <message>
   <source>Channel {0}: click to enlarge</source>
   <translation>Kanal {0}: zum Vergrößern klicken</translation>
  </message>
  <message>
   <source>Colours</source>
   <translation>Farben</translation>
  </message>
  <message>
   <source>Feature channels; Enter enlarges</source>
   <translation>Merkmalskanäle; Eingabe vergrößert</translation>
  </message>
  <message>
   <source>Features of source A</source>
   <translation>Merkmale von Quelle A</translation>
  </message>
  <message>
   <source>Features of source B</source>
   <translation>Merkmale von Quelle B</translation>
  </message>
  <message>
   <source>Main directions of both adapters as colours</source>
   <translation>Hauptrichtungen beider Adapter als Farben</translation>
  </message>
  <message>
   <source>Mean</source>
   <translation>Mittel</translation>
  </message>
  <message>
   <source>One channel alone</source>
   <translation>Ein Kanal allein</translation>
  </message>
  <message>
   <source>Only models have features. Fuse with a model to see them.</source>
   <translation>Nur Modelle haben Merkmale. Mit einem Modell fusionieren, um sie zu sehen.</translation>
  </message>
  <message>
   <source>What the network made of each source. Equal colours mean equal features.</source>
   <translation>Was das Netz aus jeder Quelle machte. Gleiche Farben bedeuten gleiche Merkmale.</translation>
  </message>
 </context>
 <context>
  <name>FuseView</name>
  <message>
   <source>A classical method, shown until the model has finished.</source>
   <translation>Ein klassisches Verfahren, gezeigt, bis das Modell fertig ist.</translation>
  </message>
  <message>
   <source>Classical preview</source>
   <translation>Klassische Vorschau</translation>
  </message>
  <message>
   <source>Drop {0} here
or press Ctrl+O</source>
   <translation>{0} hier ablegen
oder Strg+O drücken</translation>
  </message>
  <message>
   <source>Export elsewhere</source>
   <translation>Anderswohin exportieren</translation>
  </message>
  <message>
   <source>Features</source>
   <translation>Merkmale</translation>
  </message>
  <message>
   <source>Fused</source>
   <translation>Fusion</translation>
  </message>
  <message>
   <source>Nothing to compare</source>
   <translation>Nichts zu vergleichen</translation>
  </message>
  <message>
   <source>One of the two pictures chosen is not there for this pair.</source>
   <translation>Eines der beiden gewählten Bilder gibt es für dieses Paar nicht.</translation>
  </message>
  <message>
   <source>Only models have features.</source>
   <translation>Nur Modelle haben Merkmale.</translation>
  </message>
  <message>
   <source>Only models have reconstructions.</source>
   <translation>Nur Modelle haben Rekonstruktionen.</translation>
  </message>
  <message>
   <source>Open other files</source>
   <translation>Andere Dateien öffnen</translation>
  </message>
  <message>
   <source>PSNR {0:.1f} dB</source>
   <translation>PSNR {0:.1f} dB</translation>
  </message>
  <message>
   <source>Read again</source>
   <translation>Neu lesen</translation>
  </message>
  <message>
   <source>Reconstruction A</source>
   <translation>Rekonstruktion A</translation>
  </message>
  <message>
   <source>Reconstruction B</source>
   <translation>Rekonstruktion B</translation>
  </message>
  <message>
   <source>Resample B onto A</source>
   <translation>B auf A umrechnen</translation>
  </message>
  <message>
   <source>Research use only</source>
   <translation>Nur für die Forschung</translation>
  </message>
  <message>
   <source>Research use only – AI-generated image</source>
   <translation>Nur für die Forschung – KI-erzeugtes Bild</translation>
  </message>
  <message>
   <source>Retry</source>
   <translation>Erneut versuchen</translation>
  </message>
  <message>
   <source>Save elsewhere</source>
   <translation>Anderswo speichern</translation>
  </message>
  <message>
   <source>Source {0}</source>
   <translation>Quelle {0}</translation>
  </message>
  <message>
   <source>Sources, task or method changed since. Press Fuse (Enter) to renew.</source>
   <translation>Quellen, Aufgabe oder Verfahren haben sich seither geändert. Fusionieren (Eingabe) erneuert.</translation>
  </message>
  <message>
   <source>Stale</source>
   <translation>Veraltet</translation>
  </message>
  <message>
   <source>The fused picture appears here.</source>
   <translation>Hier erscheint das fusionierte Bild.</translation>
  </message>
  <message>
   <source>The model is at work…</source>
   <translation>Das Modell arbeitet…</translation>
  </message>
  <message>
   <source>The network's reconstruction appears here.</source>
   <translation>Hier erscheint die Rekonstruktion des Netzes.</translation>
  </message>
  <message>
   <source>This is a sample pair. Drop two images of your own here, or press Ctrl+O.</source>
   <translation>Dies ist ein Beispielpaar. Zwei eigene Bilder hier ablegen oder Strg+O drücken.</translation>
  </message>
  <message>
   <source>What the network saw appears here.</source>
   <translation>Hier erscheint, was das Netz sah.</translation>
  </message>
  <message>
   <source>{0} (stale)</source>
   <translation>{0} (veraltet)</translation>
  </message>
 </context>
 <context>
  <name>Habits</name>
  <message>
   <source>For research only. This program is not a medical device: its pictures are made by a network or by arithmetic and must not guide diagnosis or treatment.</source>
   <translation>Nur für die Forschung. Dieses Programm ist kein Medizinprodukt: Seine Bilder entstehen durch ein Netz oder durch Rechnung und dürfen weder Diagnose noch Behandlung leiten.</translation>
  </message>
  <message>
   <source>I understand</source>
   <translation>Verstanden</translation>
  </message>
  <message>
   <source>No, thanks</source>
   <translation>Nein, danke</translation>
  </message>
  <message>
   <source>OK</source>
   <translation>OK</translation>
  </message>
  <message>
   <source>Reopen</source>
   <translation>Wieder öffnen</translation>
  </message>
  <message>
   <source>The language changes at the next start.</source>
   <translation>Die Sprache wechselt beim nächsten Start.</translation>
  </message>
  <message>
   <source>The program did not end properly last time. It had open: {0}</source>
   <translation>Das Programm wurde letztes Mal nicht ordentlich beendet. Geöffnet war: {0}</translation>
  </message>
  <message>
   <source>The session cannot be kept. {0}</source>
   <translation>Die Sitzung kann nicht gemerkt werden. {0}</translation>
  </message>
  <message>
   <source>The settings could not be read. Everything is as delivered.</source>
   <translation>Die Einstellungen waren nicht lesbar. Alles ist wie ausgeliefert.</translation>
  </message>
  <message>
   <source>from the last session</source>
   <translation>aus der letzten Sitzung</translation>
  </message>
  <message>
   <source>{0} is not there any more. It was taken off the list of recent files.</source>
   <translation>{0} ist nicht mehr da und wurde aus der Liste der zuletzt geöffneten Dateien genommen.</translation>
  </message>
 </context>
 <context>
  <name>HistogramView</name>
  <message>
   <source>Histogram: drag the ends of the window</source>
   <translation>Histogramm: die Enden des Fensters ziehen</translation>
  </message>
 </context>
 <context>
  <name>InfoTab</name>
  <message>
   <source>Information</source>
   <translation>Informationen</translation>
  </message>
 </context>
 <context>
  <name>Inspector</name>
  <message>
   <source>Display</source>
   <translation>Darstellung</translation>
  </message>
  <message>
   <source>Features</source>
   <translation>Merkmale</translation>
  </message>
  <message>
   <source>Info</source>
   <translation>Info</translation>
  </message>
  <message>
   <source>Metrics</source>
   <translation>Maße</translation>
  </message>
 </context>
 <context>
  <name>KeyEditor</name>
  <message>
   <source>Add key</source>
   <translation>Taste hinzufügen</translation>
  </message>
  <message>
   <source>Change keyboard shortcuts</source>
   <translation>Tastenkürzel ändern</translation>
  </message>
  <message>
   <source>Command</source>
   <translation>Befehl</translation>
  </message>
  <message>
   <source>Commands and their keys</source>
   <translation>Befehle und ihre Tasten</translation>
  </message>
  <message>
   <source>Conflict</source>
   <translation>Konflikt</translation>
  </message>
  <message>
   <source>Keys</source>
   <translation>Tasten</translation>
  </message>
  <message>
   <source>New key</source>
   <translation>Neue Taste</translation>
  </message>
  <message>
   <source>No keys</source>
   <translation>Keine Tasten</translation>
  </message>
  <message>
   <source>Reset</source>
   <translation>Zurücksetzen</translation>
  </message>
  <message>
   <source>Take key</source>
   <translation>Taste übernehmen</translation>
  </message>
  <message>
   <source>{0} belongs to “{1}”. It will be taken from there.</source>
   <translation>{0} gehört zu „{1}“ und wird dort weggenommen.</translation>
  </message>
 </context>
 <context>
  <name>KeySheet</name>
  <message>
   <source>Change…</source>
   <translation>Ändern…</translation>
  </message>
  <message>
   <source>Closer, farther</source>
   <translation>Näher, weiter</translation>
  </message>
  <message>
   <source>Double click</source>
   <translation>Doppelklick</translation>
  </message>
  <message>
   <source>Fit</source>
   <translation>Einpassen</translation>
  </message>
  <message>
   <source>In a picture</source>
   <translation>In einem Bild</translation>
  </message>
  <message>
   <source>Keyboard shortcuts</source>
   <translation>Tastenkürzel</translation>
  </message>
  <message>
   <source>Middle drag, arrow keys</source>
   <translation>Mittlere Maustaste ziehen, Pfeiltasten</translation>
  </message>
  <message>
   <source>Move the pictures</source>
   <translation>Bilder verschieben</translation>
  </message>
  <message>
   <source>Wheel</source>
   <translation>Mausrad</translation>
  </message>
  <message>
   <source>Zoom about the pointer</source>
   <translation>Um den Zeiger zoomen</translation>
  </message>
 </context>
 <context>
  <name>Looking</name>
  <message>
   <source>Window: bright half</source>
   <translation>Fenster: helle Hälfte</translation>
  </message>
  <message>
   <source>Window: dark half</source>
   <translation>Fenster: dunkle Hälfte</translation>
  </message>
  <message>
   <source>Window: middle 90 % of pixels</source>
   <translation>Fenster: mittlere 90 % der Pixel</translation>
  </message>
  <message>
   <source>Window: middle 98 % of pixels</source>
   <translation>Fenster: mittlere 98 % der Pixel</translation>
  </message>
  <message>
   <source>Window: middle half</source>
   <translation>Fenster: mittlere Hälfte</translation>
  </message>
  <message>
   <source>Window: whole range</source>
   <translation>Fenster: ganzer Bereich</translation>
  </message>
 </context>
 <context>
  <name>MainWindow</name>
  <message>
   <source>Inspector</source>
   <translation>Inspektor</translation>
  </message>
  <message>
   <source>Open A ({0}) and B ({1})</source>
   <translation>A ({0}) und B ({1}) öffnen</translation>
  </message>
  <message>
   <source>Open B ({0}) for {1}</source>
   <translation>B ({0}) zu {1} öffnen</translation>
  </message>
  <message>
   <source>Pairs</source>
   <translation>Paare</translation>
  </message>
  <message>
   <source>The fused picture was copied, with its notice.</source>
   <translation>Das fusionierte Bild wurde mit seinem Hinweis kopiert.</translation>
  </message>
  <message>
   <source>Top bar</source>
   <translation>Obere Leiste</translation>
  </message>
  <message>
   <source>What is shown is the picture as it was.</source>
   <translation>Gezeigt wird das Bild, wie es war.</translation>
  </message>
  <message>
   <source>the file was changed on disk since it was read</source>
   <translation>die Datei wurde seit dem Lesen auf der Platte geändert</translation>
  </message>
  <message>
   <source>{0} is not on disk any more. What is shown is the picture as it was read.</source>
   <translation>{0} ist nicht mehr auf der Platte. Gezeigt wird das Bild, wie es gelesen wurde.</translation>
  </message>
 </context>
 <context>
  <name>MessageBar</name>
  <message>
   <source>Dismiss message</source>
   <translation>Meldung ausblenden</translation>
  </message>
 </context>
 <context>
  <name>MetricsTab</name>
  <message>
   <source>Choose a line to read what it means.</source>
   <translation>Eine Zeile wählen, um zu lesen, was sie bedeutet.</translation>
  </message>
  <message>
   <source>Compared with both sources. No single figure says a fused picture is good.</source>
   <translation>Verglichen mit beiden Quellen. Keine Zahl allein sagt, dass eine Fusion gut ist.</translation>
  </message>
  <message>
   <source>Fuse a pair to see its figures here.</source>
   <translation>Ein Paar fusionieren, um hier seine Zahlen zu sehen.</translation>
  </message>
  <message>
   <source>Metric</source>
   <translation>Maß</translation>
  </message>
  <message>
   <source>Metrics of the results of this pair</source>
   <translation>Maße der Ergebnisse dieses Paares</translation>
  </message>
  <message>
   <source>higher is better</source>
   <translation>höher ist besser</translation>
  </message>
  <message>
   <source>lower is better</source>
   <translation>niedriger ist besser</translation>
  </message>
 </context>
 <context>
  <name>PairDialog</name>
  <message>
   <source>Pair the two selected</source>
   <translation>Die zwei gewählten paaren</translation>
  </message>
  <message>
   <source>Pairs</source>
   <translation>Paare</translation>
  </message>
  <message>
   <source>Pairs and files without partner</source>
   <translation>Paare und Dateien ohne Partner</translation>
  </message>
  <message>
   <source>Swap A and B</source>
   <translation>A und B tauschen</translation>
  </message>
  <message>
   <source>Swap all</source>
   <translation>Alle tauschen</translation>
  </message>
  <message>
   <source>Ticked pairs are listed. Files in red have no partner: select two to pair them.</source>
   <translation>Angekreuzte Paare kommen in die Liste. Rote Dateien haben keinen Partner: zwei wählen, um sie zu paaren.</translation>
  </message>
 </context>
 <context>
  <name>PairList</name>
  <message>
   <source>Drop files or folders here.
Pairs are found by their names.</source>
   <translation>Dateien oder Ordner hier ablegen.
Paare werden an ihren Namen erkannt.</translation>
  </message>
  <message>
   <source>Filter</source>
   <translation>Filter</translation>
  </message>
  <message>
   <source>Filter pairs by name</source>
   <translation>Paare nach Namen filtern</translation>
  </message>
  <message>
   <source>Open folder…</source>
   <translation>Ordner öffnen…</translation>
  </message>
  <message>
   <source>Pairs</source>
   <translation>Paare</translation>
  </message>
  <message>
   <source>Pairs…</source>
   <translation>Paare…</translation>
  </message>
  <message>
   <source>See why files were paired, and change it</source>
   <translation>Sehen, warum Dateien gepaart wurden, und es ändern</translation>
  </message>
  <message>
   <source>{0} pairs</source>
   <translation>{0} Paare</translation>
  </message>
  <message>
   <source>{0} unpaired</source>
   <translation>{0} ohne Partner</translation>
  </message>
 </context>
 <context>
  <name>PairTable</name>
  <message>
   <source>; which is A is a guess</source>
   <translation>; welches A ist, ist geraten</translation>
  </message>
  <message>
   <source>A</source>
   <translation>A</translation>
  </message>
  <message>
   <source>B</source>
   <translation>B</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Why</source>
   <translation>Grund</translation>
  </message>
 </context>
 <context>
  <name>Pairs</name>
  <message>
   <source>No pairs were found among these files.</source>
   <translation>Unter diesen Dateien wurden keine Paare gefunden.</translation>
  </message>
  <message>
   <source>The names do not say which of the two is A.</source>
   <translation>Die Namen sagen nicht, welches der beiden A ist.</translation>
  </message>
  <message>
   <source>{0} files have no partner: see “Pairs…”.</source>
   <translation>{0} Dateien haben keinen Partner: siehe „Paare…“.</translation>
  </message>
  <message>
   <source>{0} is not there any more.</source>
   <translation>{0} ist nicht mehr da.</translation>
  </message>
  <message>
   <source>{0} of them were listed already.</source>
   <translation>{0} davon waren schon in der Liste.</translation>
  </message>
  <message>
   <source>{0} pairs were found.</source>
   <translation>{0} Paare wurden gefunden.</translation>
  </message>
 </context>
 <context>
  <name>PairsDock</name>
  <message>
   <source>Open a folder of pairs</source>
   <translation>Einen Ordner mit Paaren öffnen</translation>
  </message>
  <message>
   <source>Pairs</source>
   <translation>Paare</translation>
  </message>
 </context>
 <context>
  <name>Palette</name>
  <message>
   <source>Command palette</source>
   <translation>Befehlspalette</translation>
  </message>
  <message>
   <source>Commands</source>
   <translation>Befehle</translation>
  </message>
  <message>
   <source>Find a command</source>
   <translation>Befehl suchen</translation>
  </message>
  <message>
   <source>Find a command…</source>
   <translation>Befehl suchen…</translation>
  </message>
 </context>
 <context>
  <name>Pane</name>
  <message>
   <source>Maximise pane</source>
   <translation>Bild groß zeigen</translation>
  </message>
  <message>
   <source>Show this pane alone, or all again (F)</source>
   <translation>Nur dieses Bild zeigen, oder wieder alle (F)</translation>
  </message>
 </context>
 <context>
  <name>QPlatformTheme</name>
  <message>
   <source>&amp;Cancel</source>
   <translation>&amp;Abbrechen</translation>
  </message>
  <message>
   <source>&amp;Close</source>
   <translation>&amp;Schließen</translation>
  </message>
  <message>
   <source>&amp;OK</source>
   <translation>&amp;OK</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>Close</source>
   <translation>Schließen</translation>
  </message>
  <message>
   <source>OK</source>
   <translation>OK</translation>
  </message>
  <message>
   <source>Restore Defaults</source>
   <translation>Voreinstellungen</translation>
  </message>
 </context>
 <context>
  <name>RecentMenu</name>
  <message>
   <source>Clear this list</source>
   <translation>Diese Liste leeren</translation>
  </message>
  <message>
   <source>Keep a list of opened files</source>
   <translation>Geöffnete Dateien in einer Liste merken</translation>
  </message>
  <message>
   <source>No files yet</source>
   <translation>Noch keine Dateien</translation>
  </message>
  <message>
   <source>Open recent</source>
   <translation>Zuletzt geöffnet</translation>
  </message>
 </context>
 <context>
  <name>ReconPane</name>
  <message>
   <source>Show the difference between source and reconstruction</source>
   <translation>Die Differenz zwischen Quelle und Rekonstruktion zeigen</translation>
  </message>
 </context>
 <context>
  <name>SessionKeeper</name>
  <message>
   <source>The last session could not be read; it is ignored.</source>
   <translation>Die letzte Sitzung war nicht lesbar; sie wird übergangen.</translation>
  </message>
 </context>
 <context>
  <name>Status</name>
  <message>
   <source>, about {0} s left</source>
   <translation>, noch etwa {0} s</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>Done in {0} s: {1}, {2}</source>
   <translation>Fertig in {0} s: {1}, {2}</translation>
  </message>
  <message>
   <source>Exported {0} files to {1}</source>
   <translation>{0} Dateien nach {1} exportiert</translation>
  </message>
  <message>
   <source>Fused {0} (0–1, no unit)</source>
   <translation>Fusion {0} (0–1, ohne Einheit)</translation>
  </message>
  <message>
   <source>Progress</source>
   <translation>Fortschritt</translation>
  </message>
  <message>
   <source>Saved {0}</source>
   <translation>{0} gespeichert</translation>
  </message>
  <message>
   <source>Stop (Esc)</source>
   <translation>Anhalten (Esc)</translation>
  </message>
  <message>
   <source>Values under the pointer</source>
   <translation>Werte unter dem Zeiger</translation>
  </message>
 </context>
 <context>
  <name>TopBar</name>
  <message>
   <source>Default model</source>
   <translation>Standardmodell</translation>
  </message>
  <message>
   <source>Export</source>
   <translation>Exportieren</translation>
  </message>
  <message>
   <source>Fit</source>
   <translation>Einpassen</translation>
  </message>
  <message>
   <source>Method</source>
   <translation>Verfahren</translation>
  </message>
  <message>
   <source>Open</source>
   <translation>Öffnen</translation>
  </message>
  <message>
   <source>Save</source>
   <translation>Speichern</translation>
  </message>
  <message>
   <source>Swap</source>
   <translation>Tauschen</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Aufgabe</translation>
  </message>
  <message>
   <source>The model or classical method that fuses</source>
   <translation>Das Modell oder klassische Verfahren, das fusioniert</translation>
  </message>
 </context>
 <context>
  <name>Workspaces</name>
  <message>
   <source>Batch</source>
   <translation>Stapel</translation>
  </message>
  <message>
   <source>Comparing methods over whole folders is not in this version of the window yet. The figures of the pair on show are under Metrics in the Fuse workspace; for folders there is the command line:</source>
   <translation>Der Vergleich von Verfahren über ganze Ordner ist in dieser Fassung des Fensters noch nicht enthalten. Die Zahlen des gezeigten Paares stehen unter Maße im Arbeitsbereich Fusion; für Ordner gibt es die Befehlszeile:</translation>
  </message>
  <message>
   <source>Evaluate</source>
   <translation>Bewerten</translation>
  </message>
  <message>
   <source>Fuse</source>
   <translation>Fusionieren</translation>
  </message>
  <message>
   <source>Fusing whole folders, with a report that can be resumed, is not in this version of the window yet. The command line does it:</source>
   <translation>Ganze Ordner zu fusionieren, mit fortsetzbarem Bericht, ist in dieser Fassung des Fensters noch nicht enthalten. Die Befehlszeile kann es:</translation>
  </message>
  <message>
   <source>Train</source>
   <translation>Trainieren</translation>
  </message>
  <message>
   <source>Training a model pack with live curves is not in this version of the window yet. The command line trains, pauses and resumes:</source>
   <translation>Ein Modell mit laufenden Kurven zu trainieren ist in dieser Fassung des Fensters noch nicht enthalten. Die Befehlszeile trainiert, hält an und setzt fort:</translation>
  </message>
  <message>
   <source>Workspaces</source>
   <translation>Arbeitsbereiche</translation>
  </message>
 </context>
 <context>
  <name>core</name>
  <message>
   <source>Artefacts</source>
   <translation>Artefakte</translation>
  </message>
  <message>
   <source>Average</source>
   <translation>Mittelwert</translation>
  </message>
  <message>
   <source>Average gradient</source>
   <translation>Mittlerer Gradient</translation>
  </message>
  <message>
   <source>Chen and Blum's quality with the authors' scale of frequencies.</source>
   <translation>Qualität nach Chen und Blum mit der Frequenzskala der Autoren.</translation>
  </message>
  <message>
   <source>Correlation</source>
   <translation>Korrelation</translation>
  </message>
  <message>
   <source>Cross entropy</source>
   <translation>Kreuzentropie</translation>
  </message>
  <message>
   <source>Cross entropy of sigmoids (authors' code)</source>
   <translation>Kreuzentropie von Sigmoiden (Code der Autoren)</translation>
  </message>
  <message>
   <source>Edge preservation</source>
   <translation>Kantenerhalt</translation>
  </message>
  <message>
   <source>Edges in the fused picture that neither source has.</source>
   <translation>Kanten im fusionierten Bild, die keine Quelle hat.</translation>
  </message>
  <message>
   <source>Entropy</source>
   <translation>Entropie</translation>
  </message>
  <message>
   <source>Exposure</source>
   <translation>Belichtung</translation>
  </message>
  <message>
   <source>Exposure fusion</source>
   <translation>Belichtungsfusion</translation>
  </message>
  <message>
   <source>Far focus</source>
   <translation>Fokus fern</translation>
  </message>
  <message>
   <source>Focus</source>
   <translation>Fokus</translation>
  </message>
  <message>
   <source>Guided filter</source>
   <translation>Geführtes Filter</translation>
  </message>
  <message>
   <source>How closely bright and dark follow both sources.</source>
   <translation>Wie eng Hell und Dunkel beiden Quellen folgen.</translation>
  </message>
  <message>
   <source>How far the mix of grey levels is from that of the sources.</source>
   <translation>Wie weit die Mischung der Grauwerte von der der Quellen abweicht.</translation>
  </message>
  <message>
   <source>How large the pixel-wise difference from the sources is.</source>
   <translation>Wie groß der Unterschied zu den Quellen Pixel für Pixel ist.</translation>
  </message>
  <message>
   <source>How much contrast the fused picture has overall.</source>
   <translation>Wie viel Kontrast das fusionierte Bild insgesamt hat.</translation>
  </message>
  <message>
   <source>How much fine detail there is: sharpness, or noise.</source>
   <translation>Wie viel feines Detail es gibt: Schärfe oder Rauschen.</translation>
  </message>
  <message>
   <source>How much knowing the fused picture tells about the grey levels of both sources.</source>
   <translation>Wie viel das fusionierte Bild über die Grauwerte beider Quellen verrät.</translation>
  </message>
  <message>
   <source>How much of the detail an eye can see in the sources is still visible.</source>
   <translation>Wie viel vom sichtbaren Detail der Quellen noch zu sehen ist.</translation>
  </message>
  <message>
   <source>How small the pixel-wise difference from the sources is, in decibels.</source>
   <translation>Wie klein der Unterschied zu den Quellen Pixel für Pixel ist, in Dezibel.</translation>
  </message>
  <message>
   <source>How steep the changes between neighbouring pixels are: sharpness, or noise.</source>
   <translation>Wie steil die Übergänge zwischen Nachbarpixeln sind: Schärfe oder Rauschen.</translation>
  </message>
  <message>
   <source>How varied the grey levels are; noise raises it too.</source>
   <translation>Wie vielfältig die Grauwerte sind; auch Rauschen erhöht das.</translation>
  </message>
  <message>
   <source>How well the contrast an eye can see is kept.</source>
   <translation>Wie gut der sichtbare Kontrast erhalten ist.</translation>
  </message>
  <message>
   <source>How well the edges of both sources survive, in strength and direction.</source>
   <translation>Wie gut die Kanten beider Quellen erhalten sind, nach Stärke und Richtung.</translation>
  </message>
  <message>
   <source>Infrared</source>
   <translation>Infrarot</translation>
  </message>
  <message>
   <source>Infrared / visible</source>
   <translation>Infrarot / sichtbar</translation>
  </message>
  <message>
   <source>Laplacian pyramid</source>
   <translation>Laplace-Pyramide</translation>
  </message>
  <message>
   <source>Likeness of local brightness, contrast and structure to both sources.</source>
   <translation>Ähnlichkeit von örtlicher Helligkeit, Kontrast und Struktur mit beiden Quellen.</translation>
  </message>
  <message>
   <source>Likeness to both sources where they agree, to the better match where they do not.</source>
   <translation>Ähnlichkeit mit beiden Quellen, wo sie übereinstimmen, sonst mit der besser passenden.</translation>
  </message>
  <message>
   <source>MRI</source>
   <translation>MRT</translation>
  </message>
  <message>
   <source>MS-SSIM with odd sides bordered by black, as the authors' code does.</source>
   <translation>MS-SSIM mit schwarzem Rand an ungeraden Seiten, wie im Code der Autoren.</translation>
  </message>
  <message>
   <source>Maximum</source>
   <translation>Maximum</translation>
  </message>
  <message>
   <source>Mean squared error</source>
   <translation>Mittlerer quadratischer Fehler</translation>
  </message>
  <message>
   <source>Medical</source>
   <translation>Medizin</translation>
  </message>
  <message>
   <source>Mostly whether near-black pixels stayed near-black.</source>
   <translation>Vor allem, ob fast schwarze Pixel fast schwarz blieben.</translation>
  </message>
  <message>
   <source>Mutual information</source>
   <translation>Transinformation</translation>
  </message>
  <message>
   <source>Mutual information relative to how much the sources hold.</source>
   <translation>Transinformation im Verhältnis zum Gehalt der Quellen.</translation>
  </message>
  <message>
   <source>Mutual information, each source normalised with its own entropy and the result's.</source>
   <translation>Transinformation, jede Quelle normiert mit ihrer Entropie und der des Ergebnisses.</translation>
  </message>
  <message>
   <source>Near focus</source>
   <translation>Fokus nah</translation>
  </message>
  <message>
   <source>Normalised mutual information</source>
   <translation>Normierte Transinformation</translation>
  </message>
  <message>
   <source>Normalised mutual information (Hossny)</source>
   <translation>Normierte Transinformation (Hossny)</translation>
  </message>
  <message>
   <source>Over-exposed</source>
   <translation>Überbelichtet</translation>
  </message>
  <message>
   <source>PET / SPECT / CT</source>
   <translation>PET / SPECT / CT</translation>
  </message>
  <message>
   <source>PET, SPECT or CT with MRI</source>
   <translation>PET, SPECT oder CT mit MRT</translation>
  </message>
  <message>
   <source>PSNR as printed in the UniFusion paper (dB)</source>
   <translation>PSNR wie im UniFusion-Aufsatz gedruckt (dB)</translation>
  </message>
  <message>
   <source>Peak signal-to-noise ratio (dB)</source>
   <translation>Spitzen-Signal-Rausch-Verhältnis (dB)</translation>
  </message>
  <message>
   <source>Perceptual contrast quality (Chen and Blum)</source>
   <translation>Kontrastqualität nach Wahrnehmung (Chen und Blum)</translation>
  </message>
  <message>
   <source>Perceptual contrast quality (authors' code)</source>
   <translation>Kontrastqualität nach Wahrnehmung (Code der Autoren)</translation>
  </message>
  <message>
   <source>Spatial frequency</source>
   <translation>Ortsfrequenz</translation>
  </message>
  <message>
   <source>Standard deviation</source>
   <translation>Standardabweichung</translation>
  </message>
  <message>
   <source>Structural similarity</source>
   <translation>Strukturelle Ähnlichkeit</translation>
  </message>
  <message>
   <source>Structural similarity (authors' code)</source>
   <translation>Strukturelle Ähnlichkeit (Code der Autoren)</translation>
  </message>
  <message>
   <source>Structural similarity judged from close by and from afar.</source>
   <translation>Strukturelle Ähnlichkeit von nah und von fern beurteilt.</translation>
  </message>
  <message>
   <source>Structural similarity over five scales</source>
   <translation>Strukturelle Ähnlichkeit über fünf Maßstäbe</translation>
  </message>
  <message>
   <source>Structural similarity over five scales (authors' code)</source>
   <translation>Strukturelle Ähnlichkeit über fünf Maßstäbe (Code der Autoren)</translation>
  </message>
  <message>
   <source>Structural similarity to the sources (Yang)</source>
   <translation>Strukturelle Ähnlichkeit mit den Quellen (Yang)</translation>
  </message>
  <message>
   <source>Structural similarity to the sources (Yang, original window)</source>
   <translation>Strukturelle Ähnlichkeit mit den Quellen (Yang, ursprüngliches Fenster)</translation>
  </message>
  <message>
   <source>Sum of the correlations of differences</source>
   <translation>Summe der Korrelationen der Differenzen</translation>
  </message>
  <message>
   <source>The PSNR, shifted by a constant so it can be read beside the paper's table.</source>
   <translation>Das PSNR, um eine Konstante verschoben, damit es neben der Tabelle des Aufsatzes lesbar ist.</translation>
  </message>
  <message>
   <source>The same figure as SSIM: the authors' code and the definition agree.</source>
   <translation>Dieselbe Zahl wie SSIM: Code der Autoren und Definition stimmen überein.</translation>
  </message>
  <message>
   <source>Under-exposed</source>
   <translation>Unterbelichtet</translation>
  </message>
  <message>
   <source>Visible</source>
   <translation>Sichtbar</translation>
  </message>
  <message>
   <source>Visual information fidelity</source>
   <translation>Treue der sichtbaren Information</translation>
  </message>
  <message>
   <source>Visual information fidelity (original windows)</source>
   <translation>Treue der sichtbaren Information (ursprüngliche Fenster)</translation>
  </message>
  <message>
   <source>Whether what was added to one source really comes from the other.</source>
   <translation>Ob das, was zu einer Quelle hinzukam, wirklich aus der anderen stammt.</translation>
  </message>
  <message>
   <source>a near- with a far-focused frame</source>
   <translation>eine nah und eine fern fokussierte Aufnahme</translation>
  </message>
  <message>
   <source>an under- with an over-exposed frame</source>
   <translation>eine unter- und eine überbelichtete Aufnahme</translation>
  </message>
  <message>
   <source>colour</source>
   <translation>Farbe</translation>
  </message>
  <message>
   <source>done</source>
   <translation>fertig</translation>
  </message>
  <message>
   <source>encoding</source>
   <translation>Kodieren</translation>
  </message>
  <message>
   <source>fusing</source>
   <translation>Fusionieren</translation>
  </message>
  <message>
   <source>loading the model</source>
   <translation>Modell laden</translation>
  </message>
  <message>
   <source>preparing</source>
   <translation>Vorbereiten</translation>
  </message>
  <message>
   <source>reconstructing</source>
   <translation>Rekonstruieren</translation>
  </message>
  <message>
   <source>thermal infrared with a visible-light picture</source>
   <translation>Wärmebild mit einem Bild im sichtbaren Licht</translation>
  </message>
 </context>
 <context>
  <name>dialogs</name>
  <message>
   <source>All files</source>
   <translation>Alle Dateien</translation>
  </message>
  <message>
   <source>Pictures</source>
   <translation>Bilder</translation>
  </message>
  <message>
   <source>Save fused picture</source>
   <translation>Fusioniertes Bild speichern</translation>
  </message>
 </context>
 <context>
  <name>export</name>
  <message>
   <source>Exporting</source>
   <translation>Exportieren</translation>
  </message>
  <message>
   <source>Fused</source>
   <translation>Fusion</translation>
  </message>
  <message>
   <source>Reconstruction A</source>
   <translation>Rekonstruktion A</translation>
  </message>
  <message>
   <source>Reconstruction B</source>
   <translation>Rekonstruktion B</translation>
  </message>
  <message>
   <source>Research use only</source>
   <translation>Nur für die Forschung</translation>
  </message>
  <message>
   <source>Research use only – AI-generated image</source>
   <translation>Nur für die Forschung – KI-erzeugtes Bild</translation>
  </message>
  <message>
   <source>{0} by {1}, {2} pixels, {3}</source>
   <translation>{0} × {1}, {2} Pixel, {3}</translation>
  </message>
 </context>
 <context>
  <name>info</name>
  <message>
   <source>B̂, PSNR</source>
   <translation>B̂, PSNR</translation>
  </message>
  <message>
   <source>Channels</source>
   <translation>Kanäle</translation>
  </message>
  <message>
   <source>Depth</source>
   <translation>Tiefe</translation>
  </message>
  <message>
   <source>Device</source>
   <translation>Gerät</translation>
  </message>
  <message>
   <source>Duration</source>
   <translation>Dauer</translation>
  </message>
  <message>
   <source>File</source>
   <translation>Datei</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Kind</source>
   <translation>Art</translation>
  </message>
  <message>
   <source>Method</source>
   <translation>Verfahren</translation>
  </message>
  <message>
   <source>Note</source>
   <translation>Hinweis</translation>
  </message>
  <message>
   <source>Nothing is open</source>
   <translation>Nichts ist geöffnet</translation>
  </message>
  <message>
   <source>Pixel</source>
   <translation>Pixel</translation>
  </message>
  <message>
   <source>Provenance</source>
   <translation>Herkunft</translation>
  </message>
  <message>
   <source>RGB</source>
   <translation>RGB</translation>
  </message>
  <message>
   <source>Range</source>
   <translation>Bereich</translation>
  </message>
  <message>
   <source>Result</source>
   <translation>Ergebnis</translation>
  </message>
  <message>
   <source>Size</source>
   <translation>Größe</translation>
  </message>
  <message>
   <source>State</source>
   <translation>Zustand</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Aufgabe</translation>
  </message>
  <message>
   <source>Timings</source>
   <translation>Zeiten</translation>
  </message>
  <message>
   <source>classical</source>
   <translation>klassisch</translation>
  </message>
  <message>
   <source>computed</source>
   <translation>berechnet</translation>
  </message>
  <message>
   <source>float</source>
   <translation>Gleitkomma</translation>
  </message>
  <message>
   <source>grey</source>
   <translation>grau</translation>
  </message>
  <message>
   <source>model</source>
   <translation>Modell</translation>
  </message>
  <message>
   <source>size in mm not known</source>
   <translation>Größe in mm nicht bekannt</translation>
  </message>
  <message>
   <source>stale: something changed since</source>
   <translation>veraltet: seither hat sich etwas geändert</translation>
  </message>
  <message>
   <source>up to date</source>
   <translation>aktuell</translation>
  </message>
  <message>
   <source>Â, PSNR</source>
   <translation>Â, PSNR</translation>
  </message>
 </context>
 <context>
  <name>jobs</name>
  <message>
   <source>Classical preview</source>
   <translation>Klassische Vorschau</translation>
  </message>
  <message>
   <source>Drawing</source>
   <translation>Zeichnen</translation>
  </message>
  <message>
   <source>No model for this task is installed: a classical method was used instead.</source>
   <translation>Für diese Aufgabe ist kein Modell installiert: Stattdessen wurde ein klassisches Verfahren benutzt.</translation>
  </message>
  <message>
   <source>Reading pictures</source>
   <translation>Bilder werden gelesen</translation>
  </message>
  <message>
   <source>Saving</source>
   <translation>Speichern</translation>
  </message>
  <message>
   <source>Starting the engine</source>
   <translation>Rechenkern startet</translation>
  </message>
 </context>
 <context>
  <name>scenes</name>
  <message>
   <source>Features</source>
   <translation>Merkmale</translation>
  </message>
  <message>
   <source>Fused</source>
   <translation>Fusion</translation>
  </message>
 </context>
</TS>
