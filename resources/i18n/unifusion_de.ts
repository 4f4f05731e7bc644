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
   <source>&amp;Tools</source>
   <translation>E&amp;xtras</translation>
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
   <source>Close pictures</source>
   <translation>Bilder schließen</translation>
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
   <source>Model packs…</source>
   <translation>Modellpakete…</translation>
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
   <source>Open folder…</source>
   <translation>Ordner öffnen…</translation>
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
   <source>Show overlay</source>
   <translation>Überlagerung zeigen</translation>
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
   <source>Tools</source>
   <translation>Extras</translation>
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
   <source>Window presets</source>
   <translation>Fenstervorgaben</translation>
  </message>
  <message>
   <source>Workspaces</source>
   <translation>Arbeitsbereiche</translation>
  </message>
 </context>
 <context>
  <name>BackboneRow</name>
  <message>
   <source>All files</source>
   <translation>Alle Dateien</translation>
  </message>
  <message>
   <source>Choose…</source>
   <translation>Wählen…</translation>
  </message>
  <message>
   <source>DINOv3 file</source>
   <translation>DINOv3-Datei</translation>
  </message>
  <message>
   <source>Download…</source>
   <translation>Herunterladen…</translation>
  </message>
  <message>
   <source>File with the DINOv3 weights</source>
   <translation>Datei mit den DINOv3-Gewichten</translation>
  </message>
  <message>
   <source>Shows source, size and licence first</source>
   <translation>Zeigt zuerst Quelle, Größe und Lizenz</translation>
  </message>
  <message>
   <source>The downloaded file is used (sha256 {0}…). It is not changed.</source>
   <translation>Die heruntergeladene Datei wird verwendet (sha256 {0}…). Sie wird nicht verändert.</translation>
  </message>
  <message>
   <source>Used as it is; it is not changed and not put into the result.</source>
   <translation>Wird verwendet, wie sie ist; sie wird nicht verändert und kommt nicht ins Ergebnis.</translation>
  </message>
  <message>
   <source>Weights</source>
   <translation>Gewichte</translation>
  </message>
  <message>
   <source>no file chosen</source>
   <translation>keine Datei gewählt</translation>
  </message>
 </context>
 <context>
  <name>BatchCards</name>
  <message>
   <source>1 pair failed because the sizes of A and B differ.</source>
   <translation>1 Paar ist fehlgeschlagen, weil die Größen von A und B abweichen.</translation>
  </message>
  <message>
   <source>All {0} pairs of the batch in this folder are done.</source>
   <translation>Alle {0} Paare des Stapels in diesem Ordner sind fertig.</translation>
  </message>
  <message>
   <source>Batch finished</source>
   <translation>Stapel fertig</translation>
  </message>
  <message>
   <source>Batch stopped</source>
   <translation>Stapel angehalten</translation>
  </message>
  <message>
   <source>Begin anew</source>
   <translation>Neu beginnen</translation>
  </message>
  <message>
   <source>By their names these are pairs for “{0}”; “{1}” is chosen.</source>
   <translation>Den Namen nach sind das Paare für „{0}“; gewählt ist „{1}“.</translation>
  </message>
  <message>
   <source>Changed for what is not done yet: {0}.</source>
   <translation>Geändert für das, was noch nicht fertig ist: {0}.</translation>
  </message>
  <message>
   <source>Contact sheet</source>
   <translation>Kontaktbogen</translation>
  </message>
  <message>
   <source>Go on</source>
   <translation>Weiter</translation>
  </message>
  <message>
   <source>Keep</source>
   <translation>Beibehalten</translation>
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
   <source>Open folder</source>
   <translation>Ordner öffnen</translation>
  </message>
  <message>
   <source>Resample B and go on</source>
   <translation>B umrechnen und fortsetzen</translation>
  </message>
  <message>
   <source>Show</source>
   <translation>Zeigen</translation>
  </message>
  <message>
   <source>Show failed</source>
   <translation>Fehler zeigen</translation>
  </message>
  <message>
   <source>Sources of 1 of them changed since; it is fused again.</source>
   <translation>Bei einem davon haben sich die Quellen seither geändert; es wird neu fusioniert.</translation>
  </message>
  <message>
   <source>Sources of {0} of them changed since; those are fused again.</source>
   <translation>Bei {0} davon haben sich die Quellen seither geändert; sie werden neu fusioniert.</translation>
  </message>
  <message>
   <source>Stopped. What is done stays done; “Go on” does the rest.</source>
   <translation>Angehalten. Was fertig ist, bleibt fertig; „Weiter“ erledigt den Rest.</translation>
  </message>
  <message>
   <source>Table of metrics</source>
   <translation>Tabelle der Maße</translation>
  </message>
  <message>
   <source>The batch has ended: {0}.</source>
   <translation>Der Stapel ist beendet: {0}.</translation>
  </message>
  <message>
   <source>The batch in this folder is not finished: {0}.</source>
   <translation>Der Stapel in diesem Ordner ist nicht abgeschlossen: {0}.</translation>
  </message>
  <message>
   <source>The last batch was not finished: {0}, in {1}.</source>
   <translation>Der letzte Stapel wurde nicht abgeschlossen: {0}, in {1}.</translation>
  </message>
  <message>
   <source>The one pair of the batch in this folder is done.</source>
   <translation>Das eine Paar des Stapels in diesem Ordner ist fertig.</translation>
  </message>
  <message>
   <source>The system has no program to open {0}</source>
   <translation>Das System hat kein Programm, um {0} zu öffnen</translation>
  </message>
  <message>
   <source>This folder holds another batch ({0}): {1}.</source>
   <translation>Dieser Ordner enthält einen anderen Stapel ({0}): {1}.</translation>
  </message>
  <message>
   <source>Use its settings</source>
   <translation>Seine Einstellungen nehmen</translation>
  </message>
  <message>
   <source>Use “{0}”</source>
   <translation>„{0}“ verwenden</translation>
  </message>
  <message>
   <source>{0} pairs failed because the sizes of A and B differ.</source>
   <translation>{0} Paare sind fehlgeschlagen, weil die Größen von A und B abweichen.</translation>
  </message>
 </context>
 <context>
  <name>BatchPage</name>
  <message>
   <source>Add a folder of pairs</source>
   <translation>Einen Ordner mit Paaren hinzufügen</translation>
  </message>
  <message>
   <source>Add files</source>
   <translation>Dateien hinzufügen</translation>
  </message>
  <message>
   <source>Add files…</source>
   <translation>Dateien hinzufügen…</translation>
  </message>
  <message>
   <source>Add folder…</source>
   <translation>Ordner hinzufügen…</translation>
  </message>
  <message>
   <source>B for {0}</source>
   <translation>B zu {0}</translation>
  </message>
  <message>
   <source>Batch</source>
   <translation>Stapel</translation>
  </message>
  <message>
   <source>Clear</source>
   <translation>Leeren</translation>
  </message>
  <message>
   <source>Drop a folder, get a folder</source>
   <translation>Ordner hinein, Ordner heraus</translation>
  </message>
  <message>
   <source>Drop folders or files here: one folder with a/ and b/, two folders, or names that differ in one word, such as scan1_PET and scan1_MRI. You see every pair, and why it is one, before anything is fused.</source>
   <translation>Legen Sie Ordner oder Dateien hier ab: einen Ordner mit a/ und b/, zwei Ordner oder Namen, die sich in einem Wort unterscheiden, etwa scan1_PET und scan1_MRT. Sie sehen jedes Paar und warum es eines ist, bevor etwas fusioniert wird.</translation>
  </message>
  <message>
   <source>Exchange A and B in every pair</source>
   <translation>A und B in jedem Paar tauschen</translation>
  </message>
  <message>
   <source>Folder for the results</source>
   <translation>Ordner für die Ergebnisse</translation>
  </message>
  <message>
   <source>Looking for pairs…</source>
   <translation>Paare werden gesucht…</translation>
  </message>
  <message>
   <source>Ready: {0}</source>
   <translation>Bereit: {0}</translation>
  </message>
  <message>
   <source>Starting</source>
   <translation>Wird gestartet</translation>
  </message>
  <message>
   <source>Swap all</source>
   <translation>Alle tauschen</translation>
  </message>
  <message>
   <source>Wait until the batch has ended, or cancel it first.</source>
   <translation>Warten, bis der Stapel beendet ist, oder ihn erst abbrechen.</translation>
  </message>
  <message>
   <source>What was found</source>
   <translation>Was gefunden wurde</translation>
  </message>
  <message>
   <source>not paired: {0}</source>
   <translation>ohne Partner: {0}</translation>
  </message>
  <message>
   <source>{0} left out</source>
   <translation>{0} ausgelassen</translation>
  </message>
 </context>
 <context>
  <name>BatchSettingsPanel</name>
  <message>
   <source>A, B and the fused picture side by side</source>
   <translation>A, B und das fusionierte Bild nebeneinander</translation>
  </message>
  <message>
   <source>Also write</source>
   <translation>Außerdem schreiben</translation>
  </message>
  <message>
   <source>As the sources</source>
   <translation>Wie die Quellen</translation>
  </message>
  <message>
   <source>Choose the output folder…</source>
   <translation>Zielordner wählen…</translation>
  </message>
  <message>
   <source>Contact sheet (HTML)</source>
   <translation>Kontaktbogen (HTML)</translation>
  </message>
  <message>
   <source>Default model</source>
   <translation>Standardmodell</translation>
  </message>
  <message>
   <source>Depth</source>
   <translation>Tiefe</translation>
  </message>
  <message>
   <source>Depth of the results</source>
   <translation>Tiefe der Ergebnisse</translation>
  </message>
  <message>
   <source>Figures</source>
   <translation>Abbildungen</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Format</source>
   <translation>Format</translation>
  </message>
  <message>
   <source>Format of the results</source>
   <translation>Format der Ergebnisse</translation>
  </message>
  <message>
   <source>Insert a field into the name</source>
   <translation>Ein Feld in den Namen einfügen</translation>
  </message>
  <message>
   <source>JPEG (lossy)</source>
   <translation>JPEG (verlustbehaftet)</translation>
  </message>
  <message>
   <source>Keep the folders of the sources</source>
   <translation>Ordner der Quellen beibehalten</translation>
  </message>
  <message>
   <source>Method</source>
   <translation>Verfahren</translation>
  </message>
  <message>
   <source>Method of the batch</source>
   <translation>Verfahren des Stapels</translation>
  </message>
  <message>
   <source>Name</source>
   <translation>Name</translation>
  </message>
  <message>
   <source>Name of the first result</source>
   <translation>Name des ersten Ergebnisses</translation>
  </message>
  <message>
   <source>Name template</source>
   <translation>Namensvorlage</translation>
  </message>
  <message>
   <source>One page with small pictures of all; opens in a browser</source>
   <translation>Eine Seite mit kleinen Bildern von allen; öffnet im Browser</translation>
  </message>
  <message>
   <source>Options of the batch</source>
   <translation>Optionen des Stapels</translation>
  </message>
  <message>
   <source>Otherwise such rows fail. B is brought onto the pixels of A.</source>
   <translation>Sonst schlagen solche Zeilen fehl. B wird auf die Pixel von A gebracht.</translation>
  </message>
  <message>
   <source>Otherwise such rows fail. Sources are never replaced.</source>
   <translation>Sonst schlagen solche Zeilen fehl. Quellen werden nie ersetzt.</translation>
  </message>
  <message>
   <source>Output folder</source>
   <translation>Zielordner</translation>
  </message>
  <message>
   <source>PNG, or as the name says</source>
   <translation>PNG oder nach Name</translation>
  </message>
  <message>
   <source>Quality figures of every result</source>
   <translation>Gütezahlen zu jedem Ergebnis</translation>
  </message>
  <message>
   <source>Reconstructions</source>
   <translation>Rekonstruktionen</translation>
  </message>
  <message>
   <source>Repeat them below the output</source>
   <translation>Unter dem Zielordner ebenso anlegen</translation>
  </message>
  <message>
   <source>Replace files that are there</source>
   <translation>Vorhandene Dateien ersetzen</translation>
  </message>
  <message>
   <source>Resample B where sizes differ</source>
   <translation>B umrechnen, wo die Größen abweichen</translation>
  </message>
  <message>
   <source>Table of metrics (CSV)</source>
   <translation>Tabelle der Maße (CSV)</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Aufgabe</translation>
  </message>
  <message>
   <source>Task of the batch</source>
   <translation>Aufgabe des Stapels</translation>
  </message>
  <message>
   <source>Values A</source>
   <translation>Werte A</translation>
  </message>
  <message>
   <source>Values B</source>
   <translation>Werte B</translation>
  </message>
  <message>
   <source>WebP (lossless)</source>
   <translation>WebP (verlustfrei)</translation>
  </message>
  <message>
   <source>What the model can rebuild of A and of B (models only)</source>
   <translation>Was das Modell von A und von B wiederherstellen kann (nur Modelle)</translation>
  </message>
  <message>
   <source>Where results go</source>
   <translation>Wohin die Ergebnisse kommen</translation>
  </message>
  <message>
   <source>name of A without suffix</source>
   <translation>Name von A ohne Endung</translation>
  </message>
  <message>
   <source>name of B without suffix</source>
   <translation>Name von B ohne Endung</translation>
  </message>
  <message>
   <source>name of the method</source>
   <translation>Name des Verfahrens</translation>
  </message>
  <message>
   <source>number of the pair; {index:04} gives 0001</source>
   <translation>Nummer des Paares; {index:04} ergibt 0001</translation>
  </message>
  <message>
   <source>short name of the task</source>
   <translation>Kurzname der Aufgabe</translation>
  </message>
  <message>
   <source>what the two names share</source>
   <translation>was beide Namen gemeinsam haben</translation>
  </message>
  <message>
   <source>{0} bits</source>
   <translation>{0} Bit</translation>
  </message>
 </context>
 <context>
  <name>BatchTable</name>
  <message>
   <source>Not paired</source>
   <translation>Einzeln</translation>
  </message>
  <message>
   <source>Note</source>
   <translation>Hinweis</translation>
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
 </context>
 <context>
  <name>BatchView</name>
  <message>
   <source>Pairs of the batch and files without partner</source>
   <translation>Paare des Stapels und Dateien ohne Partner</translation>
  </message>
 </context>
 <context>
  <name>Chart</name>
  <message>
   <source>Show or hide this curve</source>
   <translation>Diese Kurve zeigen oder ausblenden</translation>
  </message>
  <message>
   <source>Step</source>
   <translation>Schritt</translation>
  </message>
  <message>
   <source>Step {0}</source>
   <translation>Schritt {0}</translation>
  </message>
 </context>
 <context>
  <name>Charts</name>
  <message>
   <source>Charts as a picture…</source>
   <translation>Kurven als Bild…</translation>
  </message>
  <message>
   <source>Drag a box in a chart to look closer; this shows all of it again</source>
   <translation>In einem Diagramm einen Rahmen ziehen, um näher hinzusehen; dies zeigt wieder alles</translation>
  </message>
  <message>
   <source>Draw the mean of the last points; they stay as faint lines</source>
   <translation>Das Mittel der letzten Punkte zeichnen; sie selbst bleiben als blasse Linien</translation>
  </message>
  <message>
   <source>Export</source>
   <translation>Exportieren</translation>
  </message>
  <message>
   <source>Figure (no unit)</source>
   <translation>Kennzahl (ohne Einheit)</translation>
  </message>
  <message>
   <source>Figures on the pairs to check with</source>
   <translation>Zahlen zu den Prüfpaaren</translation>
  </message>
  <message>
   <source>Fused</source>
   <translation>Fusion</translation>
  </message>
  <message>
   <source>Learning rates</source>
   <translation>Lernraten</translation>
  </message>
  <message>
   <source>Logarithmic</source>
   <translation>Logarithmisch</translation>
  </message>
  <message>
   <source>Losses</source>
   <translation>Verluste</translation>
  </message>
  <message>
   <source>Lower loss (weighted)</source>
   <translation>Unterer Verlust (gewichtet)</translation>
  </message>
  <message>
   <source>Mutual information (bits)</source>
   <translation>Transinformation (Bit)</translation>
  </message>
  <message>
   <source>Numbers as a table (CSV)…</source>
   <translation>Zahlen als Tabelle (CSV)…</translation>
  </message>
  <message>
   <source>PSNR (dB)</source>
   <translation>PSNR (dB)</translation>
  </message>
  <message>
   <source>Rate per step</source>
   <translation>Rate je Schritt</translation>
  </message>
  <message>
   <source>Reconstruction</source>
   <translation>Rekonstruktion</translation>
  </message>
  <message>
   <source>Reconstruction of the pairs to check with</source>
   <translation>Rekonstruktion der Paare zum Prüfen</translation>
  </message>
  <message>
   <source>Save the charts</source>
   <translation>Kurven speichern</translation>
  </message>
  <message>
   <source>Save the numbers</source>
   <translation>Zahlen speichern</translation>
  </message>
  <message>
   <source>Smoothing</source>
   <translation>Glättung</translation>
  </message>
  <message>
   <source>Upper loss (weighted)</source>
   <translation>Oberer Verlust (gewichtet)</translation>
  </message>
  <message>
   <source>What the left chart shows</source>
   <translation>Was das linke Diagramm zeigt</translation>
  </message>
  <message>
   <source>What the right chart shows</source>
   <translation>Was das rechte Diagramm zeigt</translation>
  </message>
  <message>
   <source>Whole run</source>
   <translation>Ganzer Lauf</translation>
  </message>
  <message>
   <source>higher is better</source>
   <translation>höher ist besser</translation>
  </message>
  <message>
   <source>off</source>
   <translation>aus</translation>
  </message>
  <message>
   <source>{0} points</source>
   <translation>{0} Punkte</translation>
  </message>
 </context>
 <context>
  <name>CloseGuard</name>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>Keep going, then end</source>
   <translation>Weiterarbeiten, dann beenden</translation>
  </message>
  <message>
   <source>Stop cleanly and close</source>
   <translation>Sauber anhalten und schließen</translation>
  </message>
  <message>
   <source>UniFusion Studio is still at work. Click to see it.</source>
   <translation>UniFusion Studio arbeitet noch. Klicken, um es zu zeigen.</translation>
  </message>
  <message>
   <source>{0}. Stopped work can be gone on with later.</source>
   <translation>{0}. Angehaltene Arbeit lässt sich später fortsetzen.</translation>
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
   <source>Open two pictures first: drop them here or choose “Open…”.</source>
   <translation>Erst zwei Bilder öffnen: hier ablegen oder „Öffnen…“ wählen.</translation>
  </message>
 </context>
 <context>
  <name>DataPanel</name>
  <message>
   <source>Check with the pairs of another folder instead</source>
   <translation>Stattdessen mit den Paaren eines anderen Ordners prüfen</translation>
  </message>
  <message>
   <source>Choose another…</source>
   <translation>Anderen wählen…</translation>
  </message>
  <message>
   <source>Choose folder…</source>
   <translation>Ordner wählen…</translation>
  </message>
  <message>
   <source>Drop a folder with your pictures here</source>
   <translation>Einen Ordner mit Ihren Bildern hier ablegen</translation>
  </message>
  <message>
   <source>Folder to check with</source>
   <translation>Ordner zum Prüfen</translation>
  </message>
  <message>
   <source>Folder to learn from</source>
   <translation>Ordner zum Lernen</translation>
  </message>
  <message>
   <source>Held back to check with</source>
   <translation>Zum Prüfen zurückgehalten</translation>
  </message>
  <message>
   <source>Hold back to check with</source>
   <translation>Zum Prüfen zurückhalten</translation>
  </message>
  <message>
   <source>If the names had it the wrong way round</source>
   <translation>Falls die Namen es verkehrt herum sagten</translation>
  </message>
  <message>
   <source>It holds pairs of pictures that show the same thing in the same place, such as PET and MRI of one slice: in folders a and b under the same file names, or under names that differ in one word (x_pet, x_mri); a folder for each patient is best.

Your files are only read. They are never changed and never leave this computer. Twenty pairs are enough for a try; a hundred or more are better.</source>
   <translation>Er enthält Bildpaare, die dasselbe an derselben Stelle zeigen, etwa PET und MRT einer Schicht: in den Ordnern a und b unter gleichen Dateinamen, oder unter Namen, die sich in einem Wort unterscheiden (x_pet, x_mrt); am besten ein Ordner für jeden Patienten.

Ihre Dateien werden nur gelesen. Sie werden nie verändert und verlassen diesen Rechner nie. Zwanzig Paare genügen für einen Versuch; hundert oder mehr sind besser.</translation>
  </message>
  <message>
   <source>Kind</source>
   <translation>Art</translation>
  </message>
  <message>
   <source>Kind of pictures</source>
   <translation>Art der Bilder</translation>
  </message>
  <message>
   <source>Looking at the pairs</source>
   <translation>Paare werden geprüft</translation>
  </message>
  <message>
   <source>Only what is left out</source>
   <translation>Nur Ausgelassenes</translation>
  </message>
  <message>
   <source>Pairs</source>
   <translation>Paare</translation>
  </message>
  <message>
   <source>Pairs found</source>
   <translation>Gefundene Paare</translation>
  </message>
  <message>
   <source>Pairs the network never learns from. They show whether it really gets better. Pictures that belong together, such as those of one patient, stay together.</source>
   <translation>Paare, aus denen das Netz nie lernt. Sie zeigen, ob es wirklich besser wird. Was zusammengehört, etwa die Bilder eines Patienten, bleibt zusammen.</translation>
  </message>
  <message>
   <source>Swap A and B</source>
   <translation>A und B tauschen</translation>
  </message>
  <message>
   <source>Use a folder of its own…</source>
   <translation>Eigener Ordner…</translation>
  </message>
  <message>
   <source>Use a part of the data</source>
   <translation>Teil der Daten nehmen</translation>
  </message>
  <message>
   <source>Who is learnt from, and who is checked with</source>
   <translation>Wovon gelernt und womit geprüft wird</translation>
  </message>
  <message>
   <source>checked with a folder of its own</source>
   <translation>geprüft mit einem eigenen Ordner</translation>
  </message>
  <message>
   <source>divided by folder ({0})</source>
   <translation>nach Ordnern geteilt ({0})</translation>
  </message>
  <message>
   <source>divided by group ({0})</source>
   <translation>nach Gruppen geteilt ({0})</translation>
  </message>
  <message>
   <source>divided by name ({0} groups)</source>
   <translation>nach Namen geteilt ({0} Gruppen)</translation>
  </message>
  <message>
   <source>divided by patient ({0})</source>
   <translation>nach Patienten geteilt ({0})</translation>
  </message>
  <message>
   <source>neighbours kept together ({0} groups)</source>
   <translation>Nachbarn zusammengehalten ({0} Gruppen)</translation>
  </message>
  <message>
   <source>{0} left out</source>
   <translation>{0} ausgelassen</translation>
  </message>
  <message>
   <source>{0} to check with</source>
   <translation>{0} zum Prüfen</translation>
  </message>
  <message>
   <source>{0} to learn from</source>
   <translation>{0} zum Lernen</translation>
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
  <name>DisplayCommands</name>
  <message>
   <source>Hide overlay</source>
   <translation>Überlagerung ausblenden</translation>
  </message>
  <message>
   <source>Overlay hidden.</source>
   <translation>Überlagerung ausgeblendet.</translation>
  </message>
  <message>
   <source>Overlay shown.</source>
   <translation>Überlagerung eingeblendet.</translation>
  </message>
  <message>
   <source>Show overlay</source>
   <translation>Überlagerung zeigen</translation>
  </message>
  <message>
   <source>Window: bright half</source>
   <translation>Fenster: helle Hälfte</translation>
  </message>
  <message>
   <source>Window: brightest quarter</source>
   <translation>Fenster: hellstes Viertel</translation>
  </message>
  <message>
   <source>Window: dark half</source>
   <translation>Fenster: dunkle Hälfte</translation>
  </message>
  <message>
   <source>Window: darkest quarter</source>
   <translation>Fenster: dunkelstes Viertel</translation>
  </message>
  <message>
   <source>Window: mean ± 2 standard deviations</source>
   <translation>Fenster: Mittelwert ± 2 Standardabweichungen</translation>
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
   <source>Window: the file's own</source>
   <translation>Fenster: das der Datei</translation>
  </message>
  <message>
   <source>{0} hides it.</source>
   <translation>{0} blendet sie aus.</translation>
  </message>
  <message>
   <source>{0} shows it again.</source>
   <translation>{0} blendet sie wieder ein.</translation>
  </message>
  <message>
   <source>{0} switches it off.</source>
   <translation>{0} schaltet es aus.</translation>
  </message>
  <message>
   <source>{0} switches it on again.</source>
   <translation>{0} schaltet es wieder ein.</translation>
  </message>
  <message>
   <source>{0}: as it is.</source>
   <translation>{0}: wie es ist.</translation>
  </message>
  <message>
   <source>{0}: grey values inverted.</source>
   <translation>{0}: Grauwerte umgekehrt.</translation>
  </message>
  <message>
   <source>{0}: off.</source>
   <translation>{0}: aus.</translation>
  </message>
  <message>
   <source>{0}: on.</source>
   <translation>{0}: an.</translation>
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
   <source>All values that the file can hold</source>
   <translation>Alle Werte, die die Datei enthalten kann</translation>
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
   <source>Palette</source>
   <translation>Palette</translation>
  </message>
  <message>
   <source>Rainbow</source>
   <translation>Regenbogen</translation>
  </message>
  <message>
   <source>Reset</source>
   <translation>Zurücksetzen</translation>
  </message>
  <message>
   <source>The middle 98 % of the pixels</source>
   <translation>Die mittleren 98 % der Pixel</translation>
  </message>
  <message>
   <source>The window that the file came with</source>
   <translation>Das Fenster, mit dem die Datei kam</translation>
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
  <name>DownloadCard</name>
  <message>
   <source>Agree to the licence first</source>
   <translation>Zuerst der Lizenz zustimmen</translation>
  </message>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>Download</source>
   <translation>Herunterladen</translation>
  </message>
  <message>
   <source>Download {0}</source>
   <translation>{0} herunterladen</translation>
  </message>
  <message>
   <source>Downloading DINOv3</source>
   <translation>DINOv3 wird heruntergeladen</translation>
  </message>
  <message>
   <source>From</source>
   <translation>Herkunft</translation>
  </message>
  <message>
   <source>I have read the licence and agree to it</source>
   <translation>Ich habe die Lizenz gelesen und stimme ihr zu</translation>
  </message>
  <message>
   <source>Its page: {0}</source>
   <translation>Ihre Seite: {0}</translation>
  </message>
  <message>
   <source>Kept in</source>
   <translation>Aufbewahrt in</translation>
  </message>
  <message>
   <source>Licence: {0} (Meta)</source>
   <translation>Lizenz: {0} (Meta)</translation>
  </message>
  <message>
   <source>Not now</source>
   <translation>Nicht jetzt</translation>
  </message>
  <message>
   <source>Only the request for this one file, with this program's name and version; the server sees your network address. No pictures, no names, no login. It is the only time this program uses the network.</source>
   <translation>Nur die Anfrage nach dieser einen Datei, mit Name und Version dieses Programms; der Server sieht Ihre Netzwerkadresse. Keine Bilder, keine Namen, keine Anmeldung. Nur dieses eine Mal benutzt das Programm das Netzwerk.</translation>
  </message>
  <message>
   <source>Opens its page in your browser</source>
   <translation>Öffnet ihre Seite in Ihrem Browser</translation>
  </message>
  <message>
   <source>Read the licence…</source>
   <translation>Lizenz lesen…</translation>
  </message>
  <message>
   <source>Size</source>
   <translation>Größe</translation>
  </message>
  <message>
   <source>This is a summary in our words. What counts is the licence itself:</source>
   <translation>Dies ist eine Zusammenfassung in unseren Worten. Maßgeblich ist die Lizenz selbst:</translation>
  </message>
  <message>
   <source>Try again</source>
   <translation>Erneut versuchen</translation>
  </message>
  <message>
   <source>What is sent</source>
   <translation>Was gesendet wird</translation>
  </message>
  <message>
   <source>{0} of {1}</source>
   <translation>{0} von {1}</translation>
  </message>
 </context>
 <context>
  <name>DownloadController</name>
  <message>
   <source>DINOv3 is there, and checked (sha256 {0}…).</source>
   <translation>DINOv3 ist da und geprüft (sha256 {0}…).</translation>
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
  <message>
   <source>Open the folder this file is in</source>
   <translation>Den Ordner öffnen, in dem diese Datei liegt</translation>
  </message>
  <message>
   <source>Show file</source>
   <translation>Datei zeigen</translation>
  </message>
 </context>
 <context>
  <name>ExportDialog</name>
  <message>
   <source>A result read from its file has none of these: fuse it anew.</source>
   <translation>Ein aus der Datei gelesenes Ergebnis hat nichts davon: neu fusionieren.</translation>
  </message>
  <message>
   <source>A strip below each picture says “Research use only”; no pixel is covered.</source>
   <translation>Ein Streifen unter jedem Bild sagt „Nur für die Forschung“; kein Pixel wird verdeckt.</translation>
  </message>
  <message>
   <source>Add a strip with the notice below the picture</source>
   <translation>Einen Streifen mit dem Hinweis unter das Bild setzen</translation>
  </message>
  <message>
   <source>Carry over camera, time and place (EXIF, GPS)</source>
   <translation>Kamera, Zeit und Ort (EXIF, GPS) übernehmen</translation>
  </message>
  <message>
   <source>Choose…</source>
   <translation>Wählen…</translation>
  </message>
  <message>
   <source>Create folder</source>
   <translation>Ordner anlegen</translation>
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
   <source>How each picture was made, and the notice, are written into its file. Sources are never touched.</source>
   <translation>Wie jedes Bild entstand und der Hinweis werden in seine Datei geschrieben. Quellen werden nie verändert.</translation>
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
   <source>Of the source whose colours the picture has.</source>
   <translation>Von der Quelle, deren Farben das Bild hat.</translation>
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
  <message>
   <source>{0} cannot be created: {1}</source>
   <translation>{0} kann nicht angelegt werden: {1}</translation>
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
  <name>FusePage</name>
  <message>
   <source>A classical method, shown until the model has finished.</source>
   <translation>Ein klassisches Verfahren, gezeigt, bis das Modell fertig ist.</translation>
  </message>
  <message>
   <source>A result read from its file has no features: fuse it anew.</source>
   <translation>Ein aus der Datei gelesenes Ergebnis hat keine Merkmale: neu fusionieren.</translation>
  </message>
  <message>
   <source>A result read from its file has no reconstructions: fuse it anew.</source>
   <translation>Ein aus der Datei gelesenes Ergebnis hat keine Rekonstruktionen: neu fusionieren.</translation>
  </message>
  <message>
   <source>Classical preview</source>
   <translation>Klassische Vorschau</translation>
  </message>
  <message>
   <source>Drop {0} here</source>
   <translation>{0} hier ablegen</translation>
  </message>
  <message>
   <source>Drop {0} here
or press {1}</source>
   <translation>{0} hier ablegen
oder {1} drücken</translation>
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
   <source>Nothing is fused: the sources are not shown.</source>
   <translation>Nichts wird fusioniert: Die Quellen werden nicht gezeigt.</translation>
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
   <source>PSNR {0:.1f} dB</source>
   <translation>PSNR {0:.1f} dB</translation>
  </message>
  <message>
   <source>Reading picture {0} of {1}…</source>
   <translation>Bild {0} von {1} wird gelesen…</translation>
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
   <source>Source {0}</source>
   <translation>Quelle {0}</translation>
  </message>
  <message>
   <source>Sources, windows, task or method changed since. Press Fuse to renew.</source>
   <translation>Quellen, Fenster, Aufgabe oder Methode wurden seither geändert. Mit „Fusionieren“ erneuern.</translation>
  </message>
  <message>
   <source>Sources, windows, task or method changed since. {0} fuses anew.</source>
   <translation>Quellen, Fenster, Aufgabe oder Methode wurden seither geändert. {0} fusioniert neu.</translation>
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
   <source>What the network saw appears here.</source>
   <translation>Hier erscheint, was das Netz sah.</translation>
  </message>
  <message>
   <source>{0} (stale)</source>
   <translation>{0} (veraltet)</translation>
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
  <name>KindCard</name>
  <message>
   <source>Keep “{0}”</source>
   <translation>„{0}“ behalten</translation>
  </message>
  <message>
   <source>Take “{0}”</source>
   <translation>„{0}“ nehmen</translation>
  </message>
  <message>
   <source>Their names do not say it, and a model learns by it what to keep of each.</source>
   <translation>Ihre Namen sagen es nicht, und danach lernt ein Modell, was es von jedem behalten soll.</translation>
  </message>
  <message>
   <source>These pictures seem to be of another kind</source>
   <translation>Diese Bilder scheinen von anderer Art zu sein</translation>
  </message>
  <message>
   <source>What kind of pictures are these?</source>
   <translation>Welche Art von Bildern ist das?</translation>
  </message>
  <message>
   <source>“{0}” is chosen, but their names speak of “{1}”. Trained for the wrong kind, a model learns the wrong things, and which picture is A may be wrong, too.</source>
   <translation>Gewählt ist „{0}“, doch ihre Namen sprechen von „{1}“. Für die falsche Art trainiert, lernt ein Modell das Falsche, und auch die Zuordnung zu A und B kann falsch sein.</translation>
  </message>
 </context>
 <context>
  <name>MainWindow</name>
  <message>
   <source>Inspector</source>
   <translation>Inspektor</translation>
  </message>
  <message>
   <source>No file manager could be opened. The file is {0}</source>
   <translation>Kein Dateimanager ließ sich öffnen. Die Datei ist {0}</translation>
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
  <name>MemoryLabel</name>
  <message>
   <source>GPU {0}</source>
   <translation>GPU {0}</translation>
  </message>
  <message>
   <source>Memory in use on the GPU, of what it has</source>
   <translation>Belegter Speicher der GPU, von dem, was sie hat</translation>
  </message>
  <message>
   <source>Memory of this program, of the memory this computer has</source>
   <translation>Speicher dieses Programms, vom Speicher dieses Rechners</translation>
  </message>
  <message>
   <source>Memory: {0}</source>
   <translation>Speicher: {0}</translation>
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
  <name>Messages</name>
  <message>
   <source>Export elsewhere</source>
   <translation>Anderswohin exportieren</translation>
  </message>
  <message>
   <source>Open other files</source>
   <translation>Andere Dateien öffnen</translation>
  </message>
  <message>
   <source>Read again</source>
   <translation>Neu lesen</translation>
  </message>
  <message>
   <source>Resample B onto A</source>
   <translation>B auf A umrechnen</translation>
  </message>
  <message>
   <source>Retry</source>
   <translation>Erneut versuchen</translation>
  </message>
  <message>
   <source>Retry in tiles</source>
   <translation>In Kacheln wiederholen</translation>
  </message>
  <message>
   <source>Save elsewhere</source>
   <translation>Anderswo speichern</translation>
  </message>
  <message>
   <source>Show what is there</source>
   <translation>Zeigen, was da ist</translation>
  </message>
  <message>
   <source>This is a sample pair. Drop two images of your own here, or press {0}.</source>
   <translation>Dies ist ein Beispielpaar. Zwei eigene Bilder hier ablegen oder {0} drücken.</translation>
  </message>
  <message>
   <source>This is a sample pair. Drop two images of your own here.</source>
   <translation>Dies ist ein Beispielpaar. Zwei eigene Bilder hier ablegen.</translation>
  </message>
  <message>
   <source>Use CPU</source>
   <translation>CPU nehmen</translation>
  </message>
 </context>
 <context>
  <name>MetricsTab</name>
  <message>
   <source>Choose a column to read what it means.</source>
   <translation>Eine Spalte wählen, um zu lesen, was sie bedeutet.</translation>
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
  <message>
   <source>{0} (stale)</source>
   <translation>{0} (veraltet)</translation>
  </message>
  <message>
   <source>{0}: the best of these</source>
   <translation>{0}: der beste Wert</translation>
  </message>
 </context>
 <context>
  <name>Naming</name>
  <message>
   <source>Maximise pane</source>
   <translation>Bild groß zeigen</translation>
  </message>
  <message>
   <source>Next folder</source>
   <translation>Nächster Ordner</translation>
  </message>
  <message>
   <source>Next patient</source>
   <translation>Nächster Patient</translation>
  </message>
  <message>
   <source>Previous folder</source>
   <translation>Voriger Ordner</translation>
  </message>
  <message>
   <source>Previous patient</source>
   <translation>Voriger Patient</translation>
  </message>
  <message>
   <source>Show all panes</source>
   <translation>Alle Bilder zeigen</translation>
  </message>
 </context>
 <context>
  <name>OpenRuns</name>
  <message>
   <source>Delete</source>
   <translation>Löschen</translation>
  </message>
  <message>
   <source>Delete for good</source>
   <translation>Endgültig löschen</translation>
  </message>
  <message>
   <source>Delete “{0}” for good?</source>
   <translation>„{0}“ endgültig löschen?</translation>
  </message>
  <message>
   <source>It stopped at step {0} of {1} ({2}). It goes on exactly where it was.</source>
   <translation>Er hielt bei Schritt {0} von {1} an ({2}). Er geht genau dort weiter.</translation>
  </message>
  <message>
   <source>Not now</source>
   <translation>Nicht jetzt</translation>
  </message>
  <message>
   <source>Resume</source>
   <translation>Fortsetzen</translation>
  </message>
  <message>
   <source>The run “{0}” is damaged</source>
   <translation>Der Lauf „{0}“ ist beschädigt</translation>
  </message>
  <message>
   <source>What it has learnt in {0} steps is lost.</source>
   <translation>Was er in {0} Schritten gelernt hat, geht verloren.</translation>
  </message>
  <message>
   <source>What it has learnt is lost.</source>
   <translation>Was er gelernt hat, geht verloren.</translation>
  </message>
  <message>
   <source>“{0}” was not finished</source>
   <translation>Der Lauf „{0}“ wurde nicht abgeschlossen</translation>
  </message>
 </context>
 <context>
  <name>Opening</name>
  <message>
   <source>By their names these are “{0}” and “{1}”, but the task is “{2}”. Nothing is fused before you choose.</source>
   <translation>Den Namen nach sind das „{0}“ und „{1}“, die Aufgabe ist aber „{2}“. Fusioniert wird erst, wenn Sie gewählt haben.</translation>
  </message>
  <message>
   <source>By their names these are “{0}” and “{1}”: the task is now “{2}”.</source>
   <translation>Den Namen nach sind das „{0}“ und „{1}“: Die Aufgabe ist jetzt „{2}“.</translation>
  </message>
  <message>
   <source>Keep {0}</source>
   <translation>Bei {0} bleiben</translation>
  </message>
  <message>
   <source>Read again</source>
   <translation>Neu lesen</translation>
  </message>
  <message>
   <source>Reading pictures</source>
   <translation>Bilder werden gelesen</translation>
  </message>
  <message>
   <source>Reading was cancelled</source>
   <translation>Das Lesen wurde abgebrochen</translation>
  </message>
  <message>
   <source>Reading was cancelled. Nothing is shown of this pair.</source>
   <translation>Das Lesen wurde abgebrochen. Von diesem Paar wird nichts gezeigt.</translation>
  </message>
  <message>
   <source>Switch to {0}</source>
   <translation>Zu {0} wechseln</translation>
  </message>
  <message>
   <source>Waiting for the engine</source>
   <translation>Warten auf die Engine</translation>
  </message>
 </context>
 <context>
  <name>PacksDialog</name>
  <message>
   <source>All files</source>
   <translation>Alle Dateien</translation>
  </message>
  <message>
   <source>Built in</source>
   <translation>Eingebaut</translation>
  </message>
  <message>
   <source>Built-in packs stay as they are</source>
   <translation>Eingebaute Modellpakete bleiben, wie sie sind</translation>
  </message>
  <message>
   <source>Cannot be used</source>
   <translation>Nicht verwendbar</translation>
  </message>
  <message>
   <source>Default</source>
   <translation>Standard</translation>
  </message>
  <message>
   <source>Delete</source>
   <translation>Löschen</translation>
  </message>
  <message>
   <source>Export model pack</source>
   <translation>Modellpaket exportieren</translation>
  </message>
  <message>
   <source>Exported to {0}</source>
   <translation>Exportiert nach {0}</translation>
  </message>
  <message>
   <source>Export…</source>
   <translation>Exportieren…</translation>
  </message>
  <message>
   <source>Figures</source>
   <translation>Zahlen</translation>
  </message>
  <message>
   <source>File</source>
   <translation>Datei</translation>
  </message>
  <message>
   <source>From</source>
   <translation>Herkunft</translation>
  </message>
  <message>
   <source>Fuse with it where no other pack is chosen</source>
   <translation>Damit fusionieren, wo kein anderes Modellpaket gewählt ist</translation>
  </message>
  <message>
   <source>Import a model pack</source>
   <translation>Modellpaket importieren</translation>
  </message>
  <message>
   <source>Import…</source>
   <translation>Importieren…</translation>
  </message>
  <message>
   <source>Licence</source>
   <translation>Lizenz</translation>
  </message>
  <message>
   <source>Make default</source>
   <translation>Als Standard</translation>
  </message>
  <message>
   <source>Model card</source>
   <translation>Modellkarte</translation>
  </message>
  <message>
   <source>Model packs</source>
   <translation>Modellpakete</translation>
  </message>
  <message>
   <source>None yet</source>
   <translation>Noch keine</translation>
  </message>
  <message>
   <source>OK</source>
   <translation>OK</translation>
  </message>
  <message>
   <source>Pack</source>
   <translation>Modellpaket</translation>
  </message>
  <message>
   <source>Parent</source>
   <translation>Ausgangsmodell</translation>
  </message>
  <message>
   <source>Rename</source>
   <translation>Umbenennen</translation>
  </message>
  <message>
   <source>Size</source>
   <translation>Größe</translation>
  </message>
  <message>
   <source>Steps / pairs</source>
   <translation>Schritte / Paare</translation>
  </message>
  <message>
   <source>Take in a pack file; it is checked and never run</source>
   <translation>Eine Paketdatei aufnehmen; sie wird geprüft und nie ausgeführt</translation>
  </message>
  <message>
   <source>Undo</source>
   <translation>Rückgängig</translation>
  </message>
  <message>
   <source>Yours</source>
   <translation>Eigenes</translation>
  </message>
  <message>
   <source>none</source>
   <translation>keines</translation>
  </message>
  <message>
   <source>not measured</source>
   <translation>nicht gemessen</translation>
  </message>
  <message>
   <source>not stated</source>
   <translation>nicht angegeben</translation>
  </message>
  <message>
   <source>{0} MB</source>
   <translation>{0} MB</translation>
  </message>
  <message>
   <source>“{0}” was deleted.</source>
   <translation>„{0}“ wurde gelöscht.</translation>
  </message>
  <message>
   <source>✓ default</source>
   <translation>✓ Standard</translation>
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
   <source>1 pair</source>
   <translation>1 Paar</translation>
  </message>
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
  <name>PairRows</name>
  <message>
   <source>Belongs to</source>
   <translation>Gehört zu</translation>
  </message>
  <message>
   <source>Note</source>
   <translation>Hinweis</translation>
  </message>
  <message>
   <source>Pair</source>
   <translation>Paar</translation>
  </message>
  <message>
   <source>Use</source>
   <translation>Verwendung</translation>
  </message>
  <message>
   <source>left out</source>
   <translation>ausgelassen</translation>
  </message>
  <message>
   <source>to check with</source>
   <translation>zum Prüfen</translation>
  </message>
  <message>
   <source>to learn from</source>
   <translation>zum Lernen</translation>
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
   <source>By their names these are “{0}” and “{1}”: another task.</source>
   <translation>Den Namen nach sind das „{0}“ und „{1}“: eine andere Aufgabe.</translation>
  </message>
  <message>
   <source>Looking for pairs…</source>
   <translation>Paare werden gesucht…</translation>
  </message>
  <message>
   <source>No pairs were found among these files.</source>
   <translation>Unter diesen Dateien wurden keine Paare gefunden.</translation>
  </message>
  <message>
   <source>One file has no partner: see “Pairs…”.</source>
   <translation>Eine Datei hat keinen Partner: siehe „Paare…“.</translation>
  </message>
  <message>
   <source>One of them was listed already.</source>
   <translation>Eines davon war schon in der Liste.</translation>
  </message>
  <message>
   <source>One pair was found.</source>
   <translation>Ein Paar wurde gefunden.</translation>
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
   <source>1 more: type to find it.</source>
   <translation>1 weiterer Eintrag: tippen, um ihn zu finden.</translation>
  </message>
  <message>
   <source>Command palette</source>
   <translation>Befehlspalette</translation>
  </message>
  <message>
   <source>Find a command, method, pair or file</source>
   <translation>Befehl, Verfahren, Paar oder Datei suchen</translation>
  </message>
  <message>
   <source>Find a command, method, pair or file…</source>
   <translation>Befehl, Verfahren, Paar oder Datei suchen…</translation>
  </message>
  <message>
   <source>What fits</source>
   <translation>Was passt</translation>
  </message>
  <message>
   <source>{0:,} more: type to find them.</source>
   <translation>{0:,} weitere Einträge: tippen, um sie zu finden.</translation>
  </message>
 </context>
 <context>
  <name>Pane</name>
  <message>
   <source>Maximise pane</source>
   <translation>Bild groß zeigen</translation>
  </message>
  <message>
   <source>Show this pane alone, or all again</source>
   <translation>Nur dieses Bild zeigen, oder wieder alle</translation>
  </message>
 </context>
 <context>
  <name>QAbstractFileIconProvider</name>
  <message>
   <source>Drive</source>
   <translation>Laufwerk</translation>
  </message>
  <message>
   <source>File</source>
   <translation>Datei</translation>
  </message>
  <message>
   <source>File Folder</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Folder</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Unknown</source>
   <translation>Unbekannt</translation>
  </message>
 </context>
 <context>
  <name>QAbstractSpinBox</name>
  <message>
   <source>&amp;Select All</source>
   <translation>Alles &amp;auswählen</translation>
  </message>
  <message>
   <source>&amp;Step up</source>
   <translation>&amp;Höher</translation>
  </message>
  <message>
   <source>Step &amp;down</source>
   <translation>&amp;Tiefer</translation>
  </message>
 </context>
 <context>
  <name>QDockWidget</name>
  <message>
   <source>Close</source>
   <translation>Schließen</translation>
  </message>
  <message>
   <source>Closes the dock widget</source>
   <translation>Schließt den Bereich</translation>
  </message>
  <message>
   <source>Float</source>
   <translation>Ablösen</translation>
  </message>
  <message>
   <source>Undocks and re-attaches the dock widget</source>
   <translation>Löst den Bereich ab und fügt ihn wieder an</translation>
  </message>
 </context>
 <context>
  <name>QFileDialog</name>
  <message>
   <source>%1
Directory not found.
Please verify the correct directory name was given.</source>
   <translation>%1
Diesen Ordner gibt es nicht.
Bitte prüfen, ob der Name stimmt.</translation>
  </message>
  <message>
   <source>%1
File not found.
Please verify the correct file name was given.</source>
   <translation>%1
Diese Datei gibt es nicht.
Bitte prüfen, ob der Name stimmt.</translation>
  </message>
  <message>
   <source>%1 already exists.
Do you want to replace it?</source>
   <translation>%1 gibt es schon.
Soll die Datei ersetzt werden?</translation>
  </message>
  <message>
   <source>&amp;Choose</source>
   <translation>&amp;Auswählen</translation>
  </message>
  <message>
   <source>&amp;Delete</source>
   <translation>&amp;Löschen</translation>
  </message>
  <message>
   <source>&amp;Look in:</source>
   <translation>&amp;Suchen in:</translation>
  </message>
  <message>
   <source>&amp;New Folder</source>
   <translation>&amp;Neuer Ordner</translation>
  </message>
  <message>
   <source>&amp;Open</source>
   <translation>&amp;Öffnen</translation>
  </message>
  <message>
   <source>&amp;Rename</source>
   <translation>&amp;Umbenennen</translation>
  </message>
  <message>
   <source>&amp;Save</source>
   <translation>S&amp;peichern</translation>
  </message>
  <message>
   <source>'%1' is write protected.
Do you want to delete it anyway?</source>
   <translation>„%1“ ist schreibgeschützt.
Soll es trotzdem gelöscht werden?</translation>
  </message>
  <message>
   <source>All files (*)</source>
   <translation>Alle Dateien (*)</translation>
  </message>
  <message>
   <source>Are you sure you want to delete '%1'?</source>
   <translation>Soll „%1“ wirklich gelöscht werden?</translation>
  </message>
  <message>
   <source>Back</source>
   <translation>Zurück</translation>
  </message>
  <message>
   <source>Change to detail view mode</source>
   <translation>Als Tabelle zeigen</translation>
  </message>
  <message>
   <source>Change to list view mode</source>
   <translation>Als Liste zeigen</translation>
  </message>
  <message>
   <source>Could not delete directory.</source>
   <translation>Der Ordner ließ sich nicht löschen.</translation>
  </message>
  <message>
   <source>Create New Folder</source>
   <translation>Neuen Ordner anlegen</translation>
  </message>
  <message>
   <source>Create a New Folder</source>
   <translation>Einen neuen Ordner anlegen</translation>
  </message>
  <message>
   <source>Delete</source>
   <translation>Löschen</translation>
  </message>
  <message>
   <source>Detail View</source>
   <translation>Tabelle</translation>
  </message>
  <message>
   <source>Directories</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Directory:</source>
   <translation>Ordner:</translation>
  </message>
  <message>
   <source>File &amp;name:</source>
   <translation>Datei&amp;name:</translation>
  </message>
  <message>
   <source>Files</source>
   <translation>Dateien</translation>
  </message>
  <message>
   <source>Files of &amp;type:</source>
   <translation>Datei&amp;typ:</translation>
  </message>
  <message>
   <source>Forward</source>
   <translation>Vorwärts</translation>
  </message>
  <message>
   <source>Go back</source>
   <translation>Zurückgehen</translation>
  </message>
  <message>
   <source>Go forward</source>
   <translation>Vorwärtsgehen</translation>
  </message>
  <message>
   <source>Go to the parent directory</source>
   <translation>Zum übergeordneten Ordner gehen</translation>
  </message>
  <message>
   <source>List View</source>
   <translation>Liste</translation>
  </message>
  <message>
   <source>List of places and bookmarks</source>
   <translation>Orte und Lesezeichen</translation>
  </message>
  <message>
   <source>New Folder</source>
   <translation>Neuer Ordner</translation>
  </message>
  <message>
   <source>Parent Directory</source>
   <translation>Übergeordneter Ordner</translation>
  </message>
  <message>
   <source>Recent Places</source>
   <translation>Zuletzt besuchte Ordner</translation>
  </message>
  <message>
   <source>Remove</source>
   <translation>Entfernen</translation>
  </message>
  <message>
   <source>Show &amp;hidden files</source>
   <translation>&amp;Versteckte Dateien zeigen</translation>
  </message>
  <message>
   <source>Sidebar</source>
   <translation>Seitenleiste</translation>
  </message>
 </context>
 <context>
  <name>QFileSystemModel</name>
  <message>
   <source>Computer</source>
   <translation>Computer</translation>
  </message>
  <message>
   <source>Date Modified</source>
   <translation>Geändert</translation>
  </message>
  <message>
   <source>Kind</source>
   <translation>Art</translation>
  </message>
  <message>
   <source>Name</source>
   <translation>Name</translation>
  </message>
  <message>
   <source>Size</source>
   <translation>Größe</translation>
  </message>
  <message>
   <source>Type</source>
   <translation>Art</translation>
  </message>
 </context>
 <context>
  <name>QKeySequenceEdit</name>
  <message>
   <source>Press shortcut</source>
   <translation>Taste drücken</translation>
  </message>
 </context>
 <context>
  <name>QLineEdit</name>
  <message>
   <source>&amp;Copy</source>
   <translation>&amp;Kopieren</translation>
  </message>
  <message>
   <source>&amp;Paste</source>
   <translation>E&amp;infügen</translation>
  </message>
  <message>
   <source>&amp;Redo</source>
   <translation>&amp;Wiederholen</translation>
  </message>
  <message>
   <source>&amp;Undo</source>
   <translation>&amp;Rückgängig</translation>
  </message>
  <message>
   <source>Cu&amp;t</source>
   <translation>&amp;Ausschneiden</translation>
  </message>
  <message>
   <source>Delete</source>
   <translation>Löschen</translation>
  </message>
  <message>
   <source>Select All</source>
   <translation>Alles auswählen</translation>
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
   <source>&amp;No</source>
   <translation>&amp;Nein</translation>
  </message>
  <message>
   <source>&amp;OK</source>
   <translation>&amp;OK</translation>
  </message>
  <message>
   <source>&amp;Yes</source>
   <translation>&amp;Ja</translation>
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
  <name>QScrollBar</name>
  <message>
   <source>Bottom</source>
   <translation>Ende</translation>
  </message>
  <message>
   <source>Left edge</source>
   <translation>Linker Rand</translation>
  </message>
  <message>
   <source>Page down</source>
   <translation>Eine Seite nach unten</translation>
  </message>
  <message>
   <source>Page left</source>
   <translation>Eine Seite nach links</translation>
  </message>
  <message>
   <source>Page right</source>
   <translation>Eine Seite nach rechts</translation>
  </message>
  <message>
   <source>Page up</source>
   <translation>Eine Seite nach oben</translation>
  </message>
  <message>
   <source>Right edge</source>
   <translation>Rechter Rand</translation>
  </message>
  <message>
   <source>Scroll down</source>
   <translation>Nach unten rollen</translation>
  </message>
  <message>
   <source>Scroll here</source>
   <translation>Hierher rollen</translation>
  </message>
  <message>
   <source>Scroll left</source>
   <translation>Nach links rollen</translation>
  </message>
  <message>
   <source>Scroll right</source>
   <translation>Nach rechts rollen</translation>
  </message>
  <message>
   <source>Scroll up</source>
   <translation>Nach oben rollen</translation>
  </message>
  <message>
   <source>Top</source>
   <translation>Anfang</translation>
  </message>
 </context>
 <context>
  <name>QShortcut</name>
  <message>
   <source>Backspace</source>
   <translation>Rücktaste</translation>
  </message>
  <message>
   <source>Ctrl</source>
   <translation>Strg</translation>
  </message>
  <message>
   <source>Del</source>
   <translation>Entf</translation>
  </message>
  <message>
   <source>Down</source>
   <translation>Runter</translation>
  </message>
  <message>
   <source>End</source>
   <translation>Ende</translation>
  </message>
  <message>
   <source>Home</source>
   <translation>Pos1</translation>
  </message>
  <message>
   <source>Ins</source>
   <translation>Einfg</translation>
  </message>
  <message>
   <source>Left</source>
   <translation>Links</translation>
  </message>
  <message>
   <source>PgDown</source>
   <translation>Bild ab</translation>
  </message>
  <message>
   <source>PgUp</source>
   <translation>Bild auf</translation>
  </message>
  <message>
   <source>Print</source>
   <translation>Druck</translation>
  </message>
  <message>
   <source>Return</source>
   <translation>Eingabe</translation>
  </message>
  <message>
   <source>Right</source>
   <translation>Rechts</translation>
  </message>
  <message>
   <source>Shift</source>
   <translation>Umschalt</translation>
  </message>
  <message>
   <source>Space</source>
   <translation>Leertaste</translation>
  </message>
  <message>
   <source>Up</source>
   <translation>Hoch</translation>
  </message>
 </context>
 <context>
  <name>QWidgetTextControl</name>
  <message>
   <source>&amp;Copy</source>
   <translation>&amp;Kopieren</translation>
  </message>
  <message>
   <source>&amp;Paste</source>
   <translation>E&amp;infügen</translation>
  </message>
  <message>
   <source>&amp;Redo</source>
   <translation>&amp;Wiederholen</translation>
  </message>
  <message>
   <source>&amp;Undo</source>
   <translation>&amp;Rückgängig</translation>
  </message>
  <message>
   <source>Cu&amp;t</source>
   <translation>&amp;Ausschneiden</translation>
  </message>
  <message>
   <source>Delete</source>
   <translation>Löschen</translation>
  </message>
  <message>
   <source>Select All</source>
   <translation>Alles auswählen</translation>
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
  <name>ResultPanel</name>
  <message>
   <source>A</source>
   <translation>A</translation>
  </message>
  <message>
   <source>B</source>
   <translation>B</translation>
  </message>
  <message>
   <source>Change</source>
   <translation>Änderung</translation>
  </message>
  <message>
   <source>Classical</source>
   <translation>Klassisch</translation>
  </message>
  <message>
   <source>Compared on the one pair held back: the new one is better on {1} of {0}. Look at the pictures as well: no single figure says a fused picture is good.</source>
   <translation>Verglichen am einen zurückgehaltenen Paar: Das neue ist bei {1} von {0} besser. Sehen Sie auch die Bilder an: Keine einzelne Kennzahl sagt, dass ein fusioniertes Bild gut ist.</translation>
  </message>
  <message>
   <source>Compared on the {0} pairs held back: the new one is better on {1} of them. Look at the pictures as well: no single figure says a fused picture is good.</source>
   <translation>Verglichen an den {0} zurückgehaltenen Paaren: Das neue ist bei {1} davon besser. Sehen Sie sich auch die Bilder an: Keine Zahl allein sagt, dass eine Fusion gut ist.</translation>
  </message>
  <message>
   <source>Comparing it with what was there before…</source>
   <translation>Vergleich mit dem bisherigen Stand…</translation>
  </message>
  <message>
   <source>Figure</source>
   <translation>Maß</translation>
  </message>
  <message>
   <source>Figures of the parent and of the new model</source>
   <translation>Zahlen des Ausgangsmodells und des neuen Modells</translation>
  </message>
  <message>
   <source>Fuse goes on with what it takes now; nothing is deleted</source>
   <translation>Fusionieren nimmt weiter, was es jetzt nimmt; gelöscht wird nichts</translation>
  </message>
  <message>
   <source>Fuse takes it when no other method is chosen</source>
   <translation>Die Fusion nimmt es, wenn kein anderes Verfahren gewählt ist</translation>
  </message>
  <message>
   <source>Is the default</source>
   <translation>Ist der Standard</translation>
  </message>
  <message>
   <source>It holds the best state, of step {0} of {1}.</source>
   <translation>Es enthält den besten Stand, von Schritt {0} von {1}.</translation>
  </message>
  <message>
   <source>It holds the last state, of step {0}.</source>
   <translation>Es enthält den letzten Stand, von Schritt {0}.</translation>
  </message>
  <message>
   <source>It was trained from scratch and is compared with a classical method.</source>
   <translation>Es wurde von Grund auf trainiert und wird mit einem klassischen Verfahren verglichen.</translation>
  </message>
  <message>
   <source>Keep the old one</source>
   <translation>Beim alten bleiben</translation>
  </message>
  <message>
   <source>Make default</source>
   <translation>Als Standard</translation>
  </message>
  <message>
   <source>New</source>
   <translation>Neu</translation>
  </message>
  <message>
   <source>No state of {0} steps was better, so it holds the start.</source>
   <translation>Kein Stand aus {0} Schritten war besser, also enthält es den Anfang.</translation>
  </message>
  <message>
   <source>Nothing was held back to check with, so look at it with care.</source>
   <translation>Zum Prüfen wurde nichts zurückgehalten; bitte sorgfältig ansehen.</translation>
  </message>
  <message>
   <source>On the pairs held back it is not better than what it started from.</source>
   <translation>An den zurückgehaltenen Paaren ist es nicht besser als sein Ausgangsmodell.</translation>
  </message>
  <message>
   <source>On the pairs held back it is {0} % better on average.</source>
   <translation>An den zurückgehaltenen Paaren ist es im Mittel {0} % besser.</translation>
  </message>
  <message>
   <source>Open model card</source>
   <translation>Modellkarte öffnen</translation>
  </message>
  <message>
   <source>Parent</source>
   <translation>Ausgangsmodell</translation>
  </message>
  <message>
   <source>Show curves</source>
   <translation>Kurven zeigen</translation>
  </message>
  <message>
   <source>Train another</source>
   <translation>Weiteres trainieren</translation>
  </message>
  <message>
   <source>You find it in the list of methods of the Fuse workspace.</source>
   <translation>Sie finden es in der Liste der Verfahren im Arbeitsbereich Fusion.</translation>
  </message>
  <message>
   <source>“{0}” is ready</source>
   <translation>„{0}“ ist fertig</translation>
  </message>
 </context>
 <context>
  <name>RunBar</name>
  <message>
   <source>Cancel</source>
   <translation>Abbrechen</translation>
  </message>
  <message>
   <source>Go on</source>
   <translation>Weiter</translation>
  </message>
  <message>
   <source>Pause</source>
   <translation>Pausieren</translation>
  </message>
  <message>
   <source>Progress of the batch</source>
   <translation>Fortschritt des Stapels</translation>
  </message>
  <message>
   <source>Resume</source>
   <translation>Fortsetzen</translation>
  </message>
  <message>
   <source>Retry failed</source>
   <translation>Fehler wiederholen</translation>
  </message>
  <message>
   <source>Start</source>
   <translation>Starten</translation>
  </message>
  <message>
   <source>State of the batch</source>
   <translation>Zustand des Stapels</translation>
  </message>
  <message>
   <source>Stop; what is done stays done</source>
   <translation>Anhalten; was fertig ist, bleibt fertig</translation>
  </message>
 </context>
 <context>
  <name>RunController</name>
  <message>
   <source>The run goes on with {0} crops per step.</source>
   <translation>Der Lauf geht mit {0} Ausschnitten je Schritt weiter.</translation>
  </message>
  <message>
   <source>This machine has no {0}: the run goes on with the automatic choice.</source>
   <translation>Dieser Rechner hat kein {0}: Der Lauf geht mit der automatischen Wahl weiter.</translation>
  </message>
 </context>
 <context>
  <name>RunPanel</name>
  <message>
   <source>A</source>
   <translation>A</translation>
  </message>
  <message>
   <source>B</source>
   <translation>B</translation>
  </message>
  <message>
   <source>End now without a model; go on later where it was</source>
   <translation>Jetzt ohne Modell beenden; später an derselben Stelle weitermachen</translation>
  </message>
  <message>
   <source>End now; the best state so far becomes a model</source>
   <translation>Jetzt beenden; der bisher beste Stand wird ein Modell</translation>
  </message>
  <message>
   <source>Finished: {0}</source>
   <translation>Fertig: {0}</translation>
  </message>
  <message>
   <source>Fused at step {0}</source>
   <translation>Fusioniert bei Schritt {0}</translation>
  </message>
  <message>
   <source>Fused at the start</source>
   <translation>Fusion am Anfang</translation>
  </message>
  <message>
   <source>Go on with half the batch</source>
   <translation>Mit halber Menge weiter</translation>
  </message>
  <message>
   <source>Learning rate of the lower level</source>
   <translation>Lernrate der unteren Ebene</translation>
  </message>
  <message>
   <source>Learning rate of the upper level</source>
   <translation>Lernrate der oberen Ebene</translation>
  </message>
  <message>
   <source>Learning rates from here on</source>
   <translation>Lernraten ab hier</translation>
  </message>
  <message>
   <source>Nothing is running yet</source>
   <translation>Noch läuft nichts</translation>
  </message>
  <message>
   <source>Pause</source>
   <translation>Pausieren</translation>
  </message>
  <message>
   <source>Paused and saved: {0}</source>
   <translation>Pausiert und gespeichert: {0}</translation>
  </message>
  <message>
   <source>Pausing after this step: {0}</source>
   <translation>Pause nach diesem Schritt: {0}</translation>
  </message>
  <message>
   <source>Reading the pictures</source>
   <translation>Bilder werden gelesen</translation>
  </message>
  <message>
   <source>Resume</source>
   <translation>Fortsetzen</translation>
  </message>
  <message>
   <source>Set aside</source>
   <translation>Zurückstellen</translation>
  </message>
  <message>
   <source>Set aside and saved: {0}</source>
   <translation>Zurückgestellt und gespeichert: {0}</translation>
  </message>
  <message>
   <source>Steps done</source>
   <translation>Erledigte Schritte</translation>
  </message>
  <message>
   <source>Stop and keep best</source>
   <translation>Anhalten, besten behalten</translation>
  </message>
  <message>
   <source>Stopped by an error: {0}</source>
   <translation>Durch einen Fehler angehalten: {0}</translation>
  </message>
  <message>
   <source>Stopping, and writing the best state</source>
   <translation>Wird angehalten, bester Stand wird geschrieben</translation>
  </message>
  <message>
   <source>The first pair to check with appears here: A, B, fused now, and fused as it was at the start.</source>
   <translation>Hier erscheint das erste Prüfpaar: A, B, die Fusion jetzt und die Fusion am Anfang.</translation>
  </message>
  <message>
   <source>The memory is not enough for this batch</source>
   <translation>Der Speicher reicht für diese Menge nicht</translation>
  </message>
  <message>
   <source>The run waits; nothing is lost. With {0} crops per step it can go on. It will learn a little less steadily.</source>
   <translation>Der Lauf wartet; nichts ist verloren. Mit {0} Ausschnitten je Schritt kann er weitergehen. Er lernt dann etwas weniger gleichmäßig.</translation>
  </message>
  <message>
   <source>These are no numbers.</source>
   <translation>Das sind keine Zahlen.</translation>
  </message>
  <message>
   <source>They hold from the next step on.</source>
   <translation>Sie gelten ab dem nächsten Schritt.</translation>
  </message>
  <message>
   <source>Training: {0}</source>
   <translation>Training läuft: {0}</translation>
  </message>
  <message>
   <source>Use these</source>
   <translation>Übernehmen</translation>
  </message>
  <message>
   <source>Wait after this step; the state is saved</source>
   <translation>Nach diesem Schritt warten; der Stand wird gespeichert</translation>
  </message>
  <message>
   <source>about {0} left</source>
   <translation>noch etwa {0}</translation>
  </message>
  <message>
   <source>best so far at step {0}</source>
   <translation>bisher bester Stand bei Schritt {0}</translation>
  </message>
  <message>
   <source>lower</source>
   <translation>untere</translation>
  </message>
  <message>
   <source>step {0} of {1}</source>
   <translation>Schritt {0} von {1}</translation>
  </message>
  <message>
   <source>upper</source>
   <translation>obere</translation>
  </message>
  <message>
   <source>{0} of memory in use</source>
   <translation>{0} Speicher belegt</translation>
  </message>
 </context>
 <context>
  <name>Samples</name>
  <message>
   <source>Some of the pairs: A beside B</source>
   <translation>Einige der Paare: A neben B</translation>
  </message>
 </context>
 <context>
  <name>SessionAutosave</name>
  <message>
   <source>The last session could not be read; it is ignored.</source>
   <translation>Die letzte Sitzung war nicht lesbar; sie wird übergangen.</translation>
  </message>
 </context>
 <context>
  <name>SettingsPanel</name>
  <message>
   <source>, made for other pictures</source>
   <translation>, für andere Bilder gemacht</translation>
  </message>
  <message>
   <source>A TensorBoard log can be written, too, once TensorBoard is installed: run “{0}” and start the program again.</source>
   <translation>Auch ein TensorBoard-Protokoll ist möglich, sobald TensorBoard installiert ist: „{0}“ ausführen und das Programm neu starten.</translation>
  </message>
  <message>
   <source>About the pictures</source>
   <translation>Über die Bilder</translation>
  </message>
  <message>
   <source>Advanced: every setting</source>
   <translation>Erweitert: alle Einstellungen</translation>
  </message>
  <message>
   <source>All files</source>
   <translation>Alle Dateien</translation>
  </message>
  <message>
   <source>Also write a TensorBoard log</source>
   <translation>Auch ein TensorBoard-Protokoll schreiben</translation>
  </message>
  <message>
   <source>As a file that “unifusion train --config” takes, too</source>
   <translation>Als Datei, die auch „unifusion train --config“ annimmt</translation>
  </message>
  <message>
   <source>Compact (quick, also without a graphics card)</source>
   <translation>Kompakt (schnell, auch ohne Grafikkarte)</translation>
  </message>
  <message>
   <source>DINOv3 file</source>
   <translation>DINOv3-Datei</translation>
  </message>
  <message>
   <source>For a TensorBoard log, install this program with pip.</source>
   <translation>Für ein TensorBoard-Protokoll dieses Programm mit pip installieren.</translation>
  </message>
  <message>
   <source>From scratch (takes much longer)</source>
   <translation>Von Grund auf (dauert viel länger)</translation>
  </message>
  <message>
   <source>Given by the pack to start from. Start from scratch to change it.</source>
   <translation>Durch das Ausgangsmodell festgelegt. Von Grund auf beginnen, um es zu ändern.</translation>
  </message>
  <message>
   <source>How thoroughly</source>
   <translation>Wie gründlich</translation>
  </message>
  <message>
   <source>Into the run's folder, beside the curves shown here</source>
   <translation>In den Ordner des Laufs, neben den hier gezeigten Kurven</translation>
  </message>
  <message>
   <source>Load settings</source>
   <translation>Einstellungen laden</translation>
  </message>
  <message>
   <source>Load settings…</source>
   <translation>Einstellungen laden…</translation>
  </message>
  <message>
   <source>Name of the result</source>
   <translation>Name des Ergebnisses</translation>
  </message>
  <message>
   <source>Network</source>
   <translation>Netz</translation>
  </message>
  <message>
   <source>Paper, with DINOv3 (needs its file and a GPU)</source>
   <translation>Aufsatz, mit DINOv3 (braucht dessen Datei und eine GPU)</translation>
  </message>
  <message>
   <source>Save settings</source>
   <translation>Einstellungen speichern</translation>
  </message>
  <message>
   <source>Save settings…</source>
   <translation>Einstellungen speichern…</translation>
  </message>
  <message>
   <source>Settings</source>
   <translation>Einstellungen</translation>
  </message>
  <message>
   <source>Start from</source>
   <translation>Ausgehen von</translation>
  </message>
  <message>
   <source>The network is that of the pack to start from.</source>
   <translation>Das Netz ist das des Ausgangsmodells.</translation>
  </message>
  <message>
   <source>comes with the program</source>
   <translation>eingebaut</translation>
  </message>
  <message>
   <source>for instance: 120 SPECT and MRI slices of our scanner. No names of patients.</source>
   <translation>zum Beispiel: 120 SPECT- und MRT-Schichten unseres Geräts. Keine Patientennamen.</translation>
  </message>
  <message>
   <source>for instance: 120 pairs of our camera, taken by day and by night.</source>
   <translation>zum Beispiel: 120 Paare unserer Kamera, bei Tag und bei Nacht aufgenommen.</translation>
  </message>
  <message>
   <source>your own</source>
   <translation>eigenes</translation>
  </message>
 </context>
 <context>
  <name>SetupController</name>
  <message>
   <source>Saved the settings as {0}.</source>
   <translation>Einstellungen als {0} gespeichert.</translation>
  </message>
  <message>
   <source>The names speak of “{0}”: that is taken as the kind of these pictures.</source>
   <translation>Die Namen sprechen von „{0}“: Das gilt nun als die Art dieser Bilder.</translation>
  </message>
  <message>
   <source>There is no pack “{0}” here to start from: choose another one.</source>
   <translation>Ein Paket „{0}“ gibt es hier nicht: Bitte ein anderes wählen.</translation>
  </message>
  <message>
   <source>download the DINOv3 weights, or choose their file</source>
   <translation>die DINOv3-Gewichte herunterladen oder ihre Datei wählen</translation>
  </message>
  <message>
   <source>the file is being looked at</source>
   <translation>die Datei wird angesehen</translation>
  </message>
  <message>
   <source>this machine has no {0}</source>
   <translation>dieser Rechner hat kein {0}</translation>
  </message>
 </context>
 <context>
  <name>ShortcutEditor</name>
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
  <name>ShortcutSheet</name>
  <message>
   <source>Change…</source>
   <translation>Ändern…</translation>
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
   <source>With the mouse elsewhere</source>
   <translation>Mit der Maus an anderer Stelle</translation>
  </message>
 </context>
 <context>
  <name>SideRows</name>
  <message>
   <source>Pairs to check with</source>
   <translation>Paare zum Prüfen</translation>
  </message>
  <message>
   <source>Pairs to learn from</source>
   <translation>Paare zum Lernen</translation>
  </message>
 </context>
 <context>
  <name>SidesView</name>
  <message>
   <source>Folders</source>
   <translation>Ordner</translation>
  </message>
  <message>
   <source>Groups</source>
   <translation>Gruppen</translation>
  </message>
  <message>
   <source>Names do not tell patients apart: look whether these groups do.</source>
   <translation>Die Namen unterscheiden keine Patienten: Bitte ansehen, ob diese Gruppen es tun.</translation>
  </message>
  <message>
   <source>Names do not tell scenes apart: look whether these groups do.</source>
   <translation>Die Namen unterscheiden keine Szenen: Bitte ansehen, ob diese Gruppen es tun.</translation>
  </message>
  <message>
   <source>No folder is on both sides.</source>
   <translation>Kein Ordner ist auf beiden Seiten.</translation>
  </message>
  <message>
   <source>No group is on both sides.</source>
   <translation>Keine Gruppe ist auf beiden Seiten.</translation>
  </message>
  <message>
   <source>No group is on both sides: names tell what belongs together.</source>
   <translation>Keine Gruppe ist auf beiden Seiten: Die Namen sagen, was zusammengehört.</translation>
  </message>
  <message>
   <source>No patient is on both sides.</source>
   <translation>Kein Patient ist auf beiden Seiten.</translation>
  </message>
  <message>
   <source>Nothing is held back to check with.</source>
   <translation>Zum Prüfen wird nichts zurückgehalten.</translation>
  </message>
  <message>
   <source>On both sides: {0}. The figures will look better than they are.</source>
   <translation>Auf beiden Seiten: {0}. Die Kennzahlen werden besser aussehen, als sie sind.</translation>
  </message>
  <message>
   <source>Patients</source>
   <translation>Patienten</translation>
  </message>
 </context>
 <context>
  <name>StartBox</name>
  <message>
   <source>(Something was changed since.)</source>
   <translation>(Seither wurde etwas geändert.)</translation>
  </message>
  <message>
   <source>A run is under way (step 3).</source>
   <translation>Ein Lauf ist im Gang (Schritt 3).</translation>
  </message>
  <message>
   <source>A setting cannot be used yet (step 2).</source>
   <translation>Eine Einstellung ist noch nicht verwendbar (Schritt 2).</translation>
  </message>
  <message>
   <source>About {0}</source>
   <translation>Etwa {0}</translation>
  </message>
  <message>
   <source>At least {0} of memory</source>
   <translation>Mindestens {0} Speicher</translation>
  </message>
  <message>
   <source>At least {0} of memory; {1} are free</source>
   <translation>Mindestens {0} Speicher; {1} sind frei</translation>
  </message>
  <message>
   <source>Automatic choice</source>
   <translation>Automatisch</translation>
  </message>
  <message>
   <source>Choose another device.</source>
   <translation>Ein anderes Gerät wählen.</translation>
  </message>
  <message>
   <source>Choose pictures first (step 1).</source>
   <translation>Erst Bilder wählen (Schritt 1).</translation>
  </message>
  <message>
   <source>Estimate again</source>
   <translation>Neu schätzen</translation>
  </message>
  <message>
   <source>Give the result a name (step 2).</source>
   <translation>Dem Ergebnis einen Namen geben (Schritt 2).</translation>
  </message>
  <message>
   <source>Known once there are pictures: a few real steps are timed.</source>
   <translation>Bekannt, sobald Bilder da sind: Einige echte Schritte werden gemessen.</translation>
  </message>
  <message>
   <source>Processor (CPU)</source>
   <translation>Prozessor (CPU)</translation>
  </message>
  <message>
   <source>Say what kind of pictures these are (step 1).</source>
   <translation>Angeben, welche Art von Bildern das ist (Schritt 1).</translation>
  </message>
  <message>
   <source>Start training</source>
   <translation>Training starten</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>Rechenkern startet…</translation>
  </message>
  <message>
   <source>This will probably not fit. Take fewer or smaller crops.</source>
   <translation>Das passt wahrscheinlich nicht. Weniger oder kleinere Ausschnitte nehmen.</translation>
  </message>
  <message>
   <source>Time a few real steps again</source>
   <translation>Einige echte Schritte neu messen</translation>
  </message>
  <message>
   <source>Timing a few real steps…</source>
   <translation>Einige echte Schritte werden gemessen…</translation>
  </message>
  <message>
   <source>Train on</source>
   <translation>Trainieren auf</translation>
  </message>
  <message>
   <source>What it will take</source>
   <translation>Was es braucht</translation>
  </message>
  <message>
   <source>{0} (not here)</source>
   <translation>{0} (nicht hier)</translation>
  </message>
 </context>
 <context>
  <name>StatusBar</name>
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
   <source>Exported 1 file to {1}</source>
   <translation>1 Datei nach {1} exportiert</translation>
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
   <source>Read from its file: {0}</source>
   <translation>Aus der Datei gelesen: {0}</translation>
  </message>
  <message>
   <source>Saved {0}</source>
   <translation>{0} gespeichert</translation>
  </message>
  <message>
   <source>Stop</source>
   <translation>Anhalten</translation>
  </message>
  <message>
   <source>Values under the pointer</source>
   <translation>Werte unter dem Zeiger</translation>
  </message>
  <message>
   <source>{0} of {1}</source>
   <translation>{0} von {1}</translation>
  </message>
 </context>
 <context>
  <name>TablePanel</name>
  <message>
   <source>Choose another B…</source>
   <translation>Anderes B wählen…</translation>
  </message>
  <message>
   <source>Do not resample B</source>
   <translation>B nicht umrechnen</translation>
  </message>
  <message>
   <source>Filter</source>
   <translation>Filter</translation>
  </message>
  <message>
   <source>Filter rows by name</source>
   <translation>Zeilen nach Namen filtern</translation>
  </message>
  <message>
   <source>Leave the selected pairs out (Delete)</source>
   <translation>Die gewählten Paare auslassen (Entf)</translation>
  </message>
  <message>
   <source>Move down (Alt+Down)</source>
   <translation>Nach unten (Alt+Pfeil ab)</translation>
  </message>
  <message>
   <source>Move up (Alt+Up)</source>
   <translation>Nach oben (Alt+Pfeil auf)</translation>
  </message>
  <message>
   <source>Only problems</source>
   <translation>Nur Probleme</translation>
  </message>
  <message>
   <source>Open in Fuse</source>
   <translation>Unter „Fusionieren“ öffnen</translation>
  </message>
  <message>
   <source>Pair the two selected files, or give the selected pair that file as B</source>
   <translation>Die zwei gewählten Dateien paaren oder dem gewählten Paar diese Datei als B geben</translation>
  </message>
  <message>
   <source>Paired because: </source>
   <translation>Gepaart, weil: </translation>
  </message>
  <message>
   <source>Resample B for these pairs</source>
   <translation>B bei diesen Paaren umrechnen</translation>
  </message>
  <message>
   <source>Resample B for this pair</source>
   <translation>B bei diesem Paar umrechnen</translation>
  </message>
  <message>
   <source>Select a row to read all about it.</source>
   <translation>Eine Zeile wählen, um alles dazu zu lesen.</translation>
  </message>
  <message>
   <source>Show only rows that somebody should look at</source>
   <translation>Nur Zeilen zeigen, die jemand ansehen sollte</translation>
  </message>
  <message>
   <source>Show result in a large view</source>
   <translation>Ergebnis groß zeigen</translation>
  </message>
  <message>
   <source>Swap A and B of the selected pairs</source>
   <translation>A und B der gewählten Paare tauschen</translation>
  </message>
  <message>
   <source>Take the selected pairs in again</source>
   <translation>Die gewählten Paare wieder aufnehmen</translation>
  </message>
  <message>
   <source>The selected row in full</source>
   <translation>Die gewählte Zeile ganz</translation>
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
   <translation>Export</translation>
  </message>
  <message>
   <source>Fit</source>
   <translation>Ganz</translation>
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
   <translation>Sichern</translation>
  </message>
  <message>
   <source>Swap</source>
   <translation>Tausch</translation>
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
  <name>TrainController</name>
  <message>
   <source>Saved {0}.</source>
   <translation>{0} gespeichert.</translation>
  </message>
 </context>
 <context>
  <name>TrainPage</name>
  <message>
   <source>Choose other pictures</source>
   <translation>Andere Bilder wählen</translation>
  </message>
  <message>
   <source>Data</source>
   <translation>Daten</translation>
  </message>
  <message>
   <source>Finished</source>
   <translation>Fertig</translation>
  </message>
  <message>
   <source>Keep the best state</source>
   <translation>Besten Stand behalten</translation>
  </message>
  <message>
   <source>Looking at the pairs…</source>
   <translation>Paare werden geprüft…</translation>
  </message>
  <message>
   <source>Nothing was changed. “{0}” stays in the list of methods.</source>
   <translation>Es wurde nichts geändert. „{0}“ bleibt in der Liste der Verfahren.</translation>
  </message>
  <message>
   <source>Own settings</source>
   <translation>Eigene Einstellungen</translation>
  </message>
  <message>
   <source>Paused</source>
   <translation>Pausiert</translation>
  </message>
  <message>
   <source>Pausing</source>
   <translation>Wird pausiert</translation>
  </message>
  <message>
   <source>Reading the pictures</source>
   <translation>Bilder werden gelesen</translation>
  </message>
  <message>
   <source>Resume</source>
   <translation>Fortsetzen</translation>
  </message>
  <message>
   <source>Run</source>
   <translation>Lauf</translation>
  </message>
  <message>
   <source>Set aside</source>
   <translation>Zurückgestellt</translation>
  </message>
  <message>
   <source>Settings</source>
   <translation>Einstellungen</translation>
  </message>
  <message>
   <source>Starting the engine…</source>
   <translation>Rechenkern startet…</translation>
  </message>
  <message>
   <source>Stopped by an error</source>
   <translation>Durch einen Fehler angehalten</translation>
  </message>
  <message>
   <source>Stopping</source>
   <translation>Wird angehalten</translation>
  </message>
  <message>
   <source>These pictures cannot be used</source>
   <translation>Diese Bilder sind nicht verwendbar</translation>
  </message>
  <message>
   <source>Train on your own pictures</source>
   <translation>Mit eigenen Bildern trainieren</translation>
  </message>
  <message>
   <source>Training</source>
   <translation>Training läuft</translation>
  </message>
  <message>
   <source>Training “{0}”, step {1} of {2}</source>
   <translation>Training von „{0}“, Schritt {1} von {2}</translation>
  </message>
  <message>
   <source>Try again</source>
   <translation>Erneut versuchen</translation>
  </message>
  <message>
   <source>Watch, steer, keep the best</source>
   <translation>Zusehen, steuern, das Beste behalten</translation>
  </message>
  <message>
   <source>What to start from, and how long</source>
   <translation>Womit beginnen, und wie lange</translation>
  </message>
  <message>
   <source>Which pictures to learn from</source>
   <translation>Aus welchen Bildern gelernt wird</translation>
  </message>
  <message>
   <source>from scratch</source>
   <translation>von Grund auf</translation>
  </message>
  <message>
   <source>{0} left out</source>
   <translation>{0} ausgelassen</translation>
  </message>
  <message>
   <source>{0} steps</source>
   <translation>{0} Schritte</translation>
  </message>
  <message>
   <source>{0} to learn from, {1} to check with</source>
   <translation>{0} zum Lernen, {1} zum Prüfen</translation>
  </message>
  <message>
   <source>{0} to put right</source>
   <translation>{0} zu berichtigen</translation>
  </message>
 </context>
 <context>
  <name>Welcome</name>
  <message>
   <source>Drop two pictures of one scene, or a folder of pairs</source>
   <translation>Zwei Bilder einer Szene oder einen Ordner mit Paaren ablegen</translation>
  </message>
  <message>
   <source>Drop your own images here: they stay on this computer.</source>
   <translation>Eigene Bilder hier ablegen: Sie bleiben auf diesem Rechner.</translation>
  </message>
  <message>
   <source>Open files…</source>
   <translation>Dateien öffnen…</translation>
  </message>
  <message>
   <source>Open folder…</source>
   <translation>Ordner öffnen…</translation>
  </message>
  <message>
   <source>Open sample</source>
   <translation>Beispiel öffnen</translation>
  </message>
  <message>
   <source>Opened before</source>
   <translation>Zuletzt geöffnet</translation>
  </message>
  <message>
   <source>What kind of pair is it?</source>
   <translation>Was für ein Paar ist es?</translation>
  </message>
 </context>
 <context>
  <name>WindowRow</name>
  <message>
   <source>Black must be the smaller number.</source>
   <translation>Schwarz muss die kleinere Zahl sein.</translation>
  </message>
  <message>
   <source>Give two numbers, one for black and one for white, or none.</source>
   <translation>Zwei Zahlen angeben, eine für Schwarz und eine für Weiß, oder keine.</translation>
  </message>
  <message>
   <source>Value of {0} that is black</source>
   <translation>Wert von {0}, der schwarz ist</translation>
  </message>
  <message>
   <source>Value of {0} that is white</source>
   <translation>Wert von {0}, der weiß ist</translation>
  </message>
  <message>
   <source>Values of {0}, in its own numbers, that are black and white in all pairs. Left empty, each picture's own values decide.</source>
   <translation>Werte von {0} in dessen eigenen Zahlen, die in allen Paaren schwarz und weiß sind. Bleibt beides leer, entscheiden die Werte jedes Bildes.</translation>
  </message>
  <message>
   <source>black</source>
   <translation>Schwarz</translation>
  </message>
  <message>
   <source>white</source>
   <translation>Weiß</translation>
  </message>
 </context>
 <context>
  <name>WindowServices</name>
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
  <name>Workspaces</name>
  <message>
   <source>Batch</source>
   <translation>Stapel</translation>
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
   <source>Train</source>
   <translation>Trainieren</translation>
  </message>
  <message>
   <source>Workspaces</source>
   <translation>Arbeitsbereiche</translation>
  </message>
 </context>
 <context>
  <name>batch</name>
  <message>
   <source>1 of {0} pairs is done</source>
   <translation>1 von {0} Paaren ist fertig</translation>
  </message>
  <message>
   <source>1 pair</source>
   <translation>1 Paar</translation>
  </message>
  <message>
   <source>A batch is running: {0}</source>
   <translation>Ein Stapel läuft: {0}</translation>
  </message>
  <message>
   <source>Check</source>
   <translation>Prüfen</translation>
  </message>
  <message>
   <source>Done</source>
   <translation>Fertig</translation>
  </message>
  <message>
   <source>Done before</source>
   <translation>Schon fertig</translation>
  </message>
  <message>
   <source>Failed</source>
   <translation>Fehler</translation>
  </message>
  <message>
   <source>Fusing</source>
   <translation>Rechnet</translation>
  </message>
  <message>
   <source>Left out</source>
   <translation>Ausgelassen</translation>
  </message>
  <message>
   <source>Paused</source>
   <translation>Pausiert</translation>
  </message>
  <message>
   <source>Reading</source>
   <translation>Liest</translation>
  </message>
  <message>
   <source>Ready</source>
   <translation>Bereit</translation>
  </message>
  <message>
   <source>Stopped</source>
   <translation>Angehalten</translation>
  </message>
  <message>
   <source>Stopping</source>
   <translation>Wird angehalten</translation>
  </message>
  <message>
   <source>The sizes differ: resample B (for all, or in this row's menu), or leave it out.</source>
   <translation>Die Größen weichen ab: B umrechnen (für alle oder im Menü dieser Zeile) oder das Paar auslassen.</translation>
  </message>
  <message>
   <source>Waiting</source>
   <translation>Wartet</translation>
  </message>
  <message>
   <source>Writing</source>
   <translation>Schreibt</translation>
  </message>
  <message>
   <source>about {0} left</source>
   <translation>noch etwa {0}</translation>
  </message>
  <message>
   <source>{0} a pair</source>
   <translation>{0} je Paar</translation>
  </message>
  <message>
   <source>{0} done before</source>
   <translation>{0} schon fertig</translation>
  </message>
  <message>
   <source>{0} failed</source>
   <translation>{0} fehlgeschlagen</translation>
  </message>
  <message>
   <source>{0} fused</source>
   <translation>{0} fusioniert</translation>
  </message>
  <message>
   <source>{0} h {1} min</source>
   <translation>{0} Std. {1} Min.</translation>
  </message>
  <message>
   <source>{0} min</source>
   <translation>{0} Min.</translation>
  </message>
  <message>
   <source>{0} of 1 pair is done</source>
   <translation>{0} von 1 Paar fertig</translation>
  </message>
  <message>
   <source>{0} of {1}</source>
   <translation>{0} von {1}</translation>
  </message>
  <message>
   <source>{0} of {1} pairs are done</source>
   <translation>{0} von {1} Paaren sind fertig</translation>
  </message>
  <message>
   <source>{0} pairs</source>
   <translation>{0} Paare</translation>
  </message>
  <message>
   <source>{0} pairs/s</source>
   <translation>{0} Paare/s</translation>
  </message>
  <message>
   <source>{0} s</source>
   <translation>{0} s</translation>
  </message>
 </context>
 <context>
  <name>core</name>
  <message>
   <source>0 draws no curves.</source>
   <translation>Bei 0 werden keine Kurven gezeichnet.</translation>
  </message>
  <message>
   <source>0 never judges.</source>
   <translation>Bei 0 wird nie geprüft.</translation>
  </message>
  <message>
   <source>0 saves on pause and close only.</source>
   <translation>Bei 0 wird nur beim Pausieren und Schließen gespeichert.</translation>
  </message>
  <message>
   <source>1 fuses brightness and carries colour past the network; 3 fuses RGB.</source>
   <translation>1 fusioniert die Helligkeit und führt die Farbe am Netz vorbei; 3 fusioniert RGB.</translation>
  </message>
  <message>
   <source>1 is the paper; 4 is much faster.</source>
   <translation>1 wie im Aufsatz; 4 ist viel schneller.</translation>
  </message>
  <message>
   <source>1/x</source>
   <translation>1/x</translation>
  </message>
  <message>
   <source>A TensorBoard log</source>
   <translation>Ein TensorBoard-Protokoll</translation>
  </message>
  <message>
   <source>A and B changed since: fused again</source>
   <translation>A und B wurden seither geändert: wird neu fusioniert</translation>
  </message>
  <message>
   <source>A and B would be one and the same file</source>
   <translation>A und B wären ein und dieselbe Datei</translation>
  </message>
  <message>
   <source>A is {0}×{1} pixels and B is {2}×{3}</source>
   <translation>A hat {0}×{1} Pixel und B {2}×{3}</translation>
  </message>
  <message>
   <source>A mask of another size in the file was left out.</source>
   <translation>Eine Maske anderer Größe in der Datei wurde weggelassen.</translation>
  </message>
  <message>
   <source>A multiple of the backbone's heads.</source>
   <translation>Ein Vielfaches der Köpfe des Grundnetzes.</translation>
  </message>
  <message>
   <source>A picture of {0}×{1} pixels does not fit {2}</source>
   <translation>Ein Bild von {0}×{1} Pixeln passt nicht auf {2}</translation>
  </message>
  <message>
   <source>Ablations</source>
   <translation>Weglassen zum Vergleich</translation>
  </message>
  <message>
   <source>Adapters</source>
   <translation>Adapter</translation>
  </message>
  <message>
   <source>Against edges neither source has. 0 is the paper.</source>
   <translation>Gegen Kanten, die keine Quelle hat. 0 wie im Aufsatz.</translation>
  </message>
  <message>
   <source>All pairs are in one folder: nothing is held back to judge by. Give a validation folder.</source>
   <translation>Alle Paare liegen in einem Ordner: Zum Prüfen wird nichts zurückgehalten. Bitte einen Ordner zum Prüfen angeben.</translation>
  </message>
  <message>
   <source>All pairs are of one group: nothing is held back to judge by. Give a validation folder.</source>
   <translation>Alle Paare sind aus einer Gruppe: Zum Beurteilen wird nichts zurückgehalten. Bitte einen Prüfordner angeben.</translation>
  </message>
  <message>
   <source>All pairs are of one patient: nothing is held back to judge by. Give a validation folder.</source>
   <translation>Alle Paare stammen von einem Patienten: Zum Prüfen wird nichts zurückgehalten. Bitte einen Ordner zum Prüfen angeben.</translation>
  </message>
  <message>
   <source>All pairs are too few: nothing is held back to judge by. Give a validation folder.</source>
   <translation>Es sind zu wenige Paare: Zum Prüfen wird nichts zurückgehalten. Bitte einen Ordner zum Prüfen angeben.</translation>
  </message>
  <message>
   <source>An extra channel of unknown meaning was left out.</source>
   <translation>Ein zusätzlicher Kanal unbekannter Bedeutung wurde weggelassen.</translation>
  </message>
  <message>
   <source>Artefacts</source>
   <translation>Artefakte</translation>
  </message>
  <message>
   <source>Ask its maker for a UniFusion pack (.safetensors).</source>
   <translation>Den Ersteller um ein UniFusion-Modellpaket (.safetensors) bitten.</translation>
  </message>
  <message>
   <source>At most, spread over all; 0 takes all.</source>
   <translation>Höchstens, über alle verteilt; 0 nimmt alle.</translation>
  </message>
  <message>
   <source>At random; for sources without fixed roles.</source>
   <translation>Zufällig; für Quellen ohne feste Rollen.</translation>
  </message>
  <message>
   <source>Attention heads</source>
   <translation>Aufmerksamkeitsköpfe</translation>
  </message>
  <message>
   <source>Attention heads.</source>
   <translation>Aufmerksamkeitsköpfe.</translation>
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
   <source>Averaging</source>
   <translation>Mittelung</translation>
  </message>
  <message>
   <source>B seems to be shifted by about {0:.0f} pixels</source>
   <translation>B scheint um etwa {0:.0f} Pixel verschoben zu sein</translation>
  </message>
  <message>
   <source>BMP has no place for how the picture was made.</source>
   <translation>BMP hat keinen Platz für die Angabe, wie das Bild entstand.</translation>
  </message>
  <message>
   <source>Backbone</source>
   <translation>Grundnetz</translation>
  </message>
  <message>
   <source>Backbone blocks</source>
   <translation>Blöcke des Grundnetzes</translation>
  </message>
  <message>
   <source>Backbone feed-forward width</source>
   <translation>Feed-forward-Breite, Grundnetz</translation>
  </message>
  <message>
   <source>Backbone heads</source>
   <translation>Köpfe des Grundnetzes</translation>
  </message>
  <message>
   <source>Batch {0}</source>
   <translation>Ausschnitte je Schritt: {0}</translation>
  </message>
  <message>
   <source>Black and white was expanded to grey levels 0 and 255.</source>
   <translation>Schwarzweiß wurde auf die Grauwerte 0 und 255 erweitert.</translation>
  </message>
  <message>
   <source>Black and white were swapped, as the file asks for.</source>
   <translation>Schwarz und Weiß wurden vertauscht, wie die Datei es verlangt.</translation>
  </message>
  <message>
   <source>Brightness target</source>
   <translation>Ziel der Helligkeit</translation>
  </message>
  <message>
   <source>Bring it back and go on with the batch, or begin again; what was written to it before is only there if the folder is.</source>
   <translation>Den Ordner zurückholen und den Stapel fortsetzen oder neu beginnen; was vorher hineingeschrieben wurde, ist nur da, wenn der Ordner da ist.</translation>
  </message>
  <message>
   <source>Bring that pack back, choose another folder, or begin anew.</source>
   <translation>Dieses Modellpaket zurückholen, einen anderen Ordner wählen oder neu beginnen.</translation>
  </message>
  <message>
   <source>Bring them back as they were, or start a new run that begins with the pack of this one.</source>
   <translation>Sie zurückbringen, wie sie waren, oder einen neuen Lauf beginnen, der vom Modellpaket dieses Laufs ausgeht.</translation>
  </message>
  <message>
   <source>By its figures the start was better than this pack.</source>
   <translation>Nach den Kennzahlen war der Ausgangspunkt besser als dieses Modellpaket.</translation>
  </message>
  <message>
   <source>By the strength of each source's edges, or equal.</source>
   <translation>Nach der Stärke der Kanten jeder Quelle, oder gleich.</translation>
  </message>
  <message>
   <source>CMYK was converted to RGB.</source>
   <translation>CMYK wurde in RGB umgewandelt.</translation>
  </message>
  <message>
   <source>CMYK with {0} channels</source>
   <translation>CMYK mit {0} Kanälen</translation>
  </message>
  <message>
   <source>CPU ({0}, {1} thread of {2})</source>
   <translation>CPU ({0}, {1} von {2} Threads)</translation>
  </message>
  <message>
   <source>CPU ({0}, {1} threads of {2})</source>
   <translation>CPU ({0}, {1} von {2} Threads)</translation>
  </message>
  <message>
   <source>Camera and time (EXIF) of the sources were left out.</source>
   <translation>Kamera und Zeit (EXIF) der Quellen wurden weggelassen.</translation>
  </message>
  <message>
   <source>Camera, time and place (EXIF, GPS) of the sources were left out.</source>
   <translation>Kamera, Zeit und Ort (EXIF, GPS) der Quellen wurden weggelassen.</translation>
  </message>
  <message>
   <source>Cannot write {0}</source>
   <translation>{0} lässt sich nicht schreiben</translation>
  </message>
  <message>
   <source>Change its permissions or copy it elsewhere.</source>
   <translation>Ihre Berechtigungen ändern oder sie anderswohin kopieren.</translation>
  </message>
  <message>
   <source>Change its permissions, then go on with the batch.</source>
   <translation>Die Zugriffsrechte ändern, dann den Stapel fortsetzen.</translation>
  </message>
  <message>
   <source>Check the disk and the name.</source>
   <translation>Laufwerk und Namen prüfen.</translation>
  </message>
  <message>
   <source>Check the name and the folder.</source>
   <translation>Namen und Ordner prüfen.</translation>
  </message>
  <message>
   <source>Check the name.</source>
   <translation>Den Namen prüfen.</translation>
  </message>
  <message>
   <source>Check the path, or run “packs list”.</source>
   <translation>Den Pfad prüfen oder „packs list“ ausführen.</translation>
  </message>
  <message>
   <source>Check the path.</source>
   <translation>Den Pfad prüfen.</translation>
  </message>
  <message>
   <source>Chen and Blum's quality with the authors' scale of frequencies.</source>
   <translation>Qualität nach Chen und Blum mit der Frequenzskala der Autoren.</translation>
  </message>
  <message>
   <source>Choose 1 to 64.</source>
   <translation>1 bis 64 wählen.</translation>
  </message>
  <message>
   <source>Choose 8, 16 or 32 bits and a format that holds them; TIFF holds all.</source>
   <translation>8, 16 oder 32 Bit und ein Format wählen, das sie aufnimmt; TIFF nimmt alle auf.</translation>
  </message>
  <message>
   <source>Choose a file of one of these kinds: {0}.</source>
   <translation>Eine Datei einer dieser Arten wählen: {0}.</translation>
  </message>
  <message>
   <source>Choose a folder for the results.</source>
   <translation>Einen Ordner für die Ergebnisse wählen.</translation>
  </message>
  <message>
   <source>Choose a folder you may write to.</source>
   <translation>Einen Ordner wählen, in den geschrieben werden darf.</translation>
  </message>
  <message>
   <source>Choose a pack of this task, or change the task.</source>
   <translation>Ein Modellpaket dieser Aufgabe wählen oder die Aufgabe ändern.</translation>
  </message>
  <message>
   <source>Choose a picture inside it.</source>
   <translation>Ein Bild darin wählen.</translation>
  </message>
  <message>
   <source>Choose a picture, or export it again.</source>
   <translation>Ein Bild wählen oder es neu exportieren.</translation>
  </message>
  <message>
   <source>Choose a picture.</source>
   <translation>Ein Bild wählen.</translation>
  </message>
  <message>
   <source>Choose a shorter name.</source>
   <translation>Einen kürzeren Namen wählen.</translation>
  </message>
  <message>
   <source>Choose a smaller picture or close other programs.</source>
   <translation>Ein kleineres Bild wählen oder andere Programme schließen.</translation>
  </message>
  <message>
   <source>Choose a window inside them, or leave it out.</source>
   <translation>Ein Fenster innerhalb davon wählen oder es weglassen.</translation>
  </message>
  <message>
   <source>Choose another folder or change its permissions.</source>
   <translation>Einen anderen Ordner wählen oder seine Berechtigungen ändern.</translation>
  </message>
  <message>
   <source>Choose another folder.</source>
   <translation>Einen anderen Ordner wählen.</translation>
  </message>
  <message>
   <source>Choose another name.</source>
   <translation>Einen anderen Namen wählen.</translation>
  </message>
  <message>
   <source>Choose another picture.</source>
   <translation>Ein anderes Bild wählen.</translation>
  </message>
  <message>
   <source>Choose another.</source>
   <translation>Eine andere Auswahl treffen.</translation>
  </message>
  <message>
   <source>Choose auto or cpu.</source>
   <translation>auto oder cpu wählen.</translation>
  </message>
  <message>
   <source>Choose auto, cpu, cuda or cuda:N.</source>
   <translation>auto, cpu, cuda oder cuda:N wählen.</translation>
  </message>
  <message>
   <source>Choose from: {0}.</source>
   <translation>Auswählen aus: {0}.</translation>
  </message>
  <message>
   <source>Choose one of these.</source>
   <translation>Eines davon wählen.</translation>
  </message>
  <message>
   <source>Choose one of {0}.</source>
   <translation>Eines davon wählen: {0}.</translation>
  </message>
  <message>
   <source>Choose one of: {0}.</source>
   <translation>Eines davon wählen: {0}.</translation>
  </message>
  <message>
   <source>Choose that task, or another pack.</source>
   <translation>Jene Aufgabe wählen oder ein anderes Modellpaket.</translation>
  </message>
  <message>
   <source>Choose two pictures of the same scene.</source>
   <translation>Zwei Bilder derselben Szene wählen.</translation>
  </message>
  <message>
   <source>Classical methods have no reconstructions and no features.</source>
   <translation>Klassische Verfahren haben keine Rekonstruktionen und keine Merkmale.</translation>
  </message>
  <message>
   <source>Close other programs or use a smaller picture.</source>
   <translation>Andere Programme schließen oder ein kleineres Bild nehmen.</translation>
  </message>
  <message>
   <source>Close other programs, or use smaller pictures.</source>
   <translation>Andere Programme schließen oder kleinere Bilder nehmen.</translation>
  </message>
  <message>
   <source>Close other programs.</source>
   <translation>Andere Programme schließen.</translation>
  </message>
  <message>
   <source>Colour channels</source>
   <translation>Farbkanäle</translation>
  </message>
  <message>
   <source>Colours were converted from Adobe RGB, which EXIF names.</source>
   <translation>Die Farben wurden von Adobe RGB, das in EXIF steht, in sRGB umgewandelt.</translation>
  </message>
  <message>
   <source>Colours were converted from the embedded profile to sRGB.</source>
   <translation>Die Farben wurden vom eingebetteten Profil in sRGB umgewandelt.</translation>
  </message>
  <message>
   <source>Colours were converted from the embedded profile “{0}” to sRGB.</source>
   <translation>Die Farben wurden vom eingebetteten Profil „{0}“ in sRGB umgewandelt.</translation>
  </message>
  <message>
   <source>Compare with truth</source>
   <translation>Mit Wahrheit vergleichen</translation>
  </message>
  <message>
   <source>Connect it and try again, or bring the file from another computer and choose it here.</source>
   <translation>Ihn verbinden und es erneut versuchen, oder die Datei von einem anderen Rechner bringen und hier wählen.</translation>
  </message>
  <message>
   <source>Convert both to grey or both to colour first.</source>
   <translation>Erst beide in Grau oder beide in Farbe umwandeln.</translation>
  </message>
  <message>
   <source>Copy or export it again.</source>
   <translation>Neu kopieren oder exportieren.</translation>
  </message>
  <message>
   <source>Copy or export it again. To fuse what can be decoded of it, ask for that (--show-damaged on the command line, the button in the window).</source>
   <translation>Noch einmal kopieren oder exportieren. Um zu fusionieren, was sich davon dekodieren lässt, dies verlangen (--show-damaged auf der Kommandozeile, die Schaltfläche im Fenster).</translation>
  </message>
  <message>
   <source>Correlation</source>
   <translation>Korrelation</translation>
  </message>
  <message>
   <source>Create the folder first or choose another one.</source>
   <translation>Erst den Ordner anlegen oder einen anderen wählen.</translation>
  </message>
  <message>
   <source>Crop it or make it smaller.</source>
   <translation>Es zuschneiden oder verkleinern.</translation>
  </message>
  <message>
   <source>Crop size</source>
   <translation>Größe der Ausschnitte</translation>
  </message>
  <message>
   <source>Crops per step</source>
   <translation>Ausschnitte je Schritt</translation>
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
   <source>Cross-attention blocks.</source>
   <translation>Blöcke mit Kreuzaufmerksamkeit.</translation>
  </message>
  <message>
   <source>Curve points every</source>
   <translation>Kurvenpunkt alle</translation>
  </message>
  <message>
   <source>DINOv3 as in the paper, from a file, or a small encoder trained along.</source>
   <translation>DINOv3 wie im Aufsatz, aus einer Datei, oder ein kleiner, mittrainierter Encoder.</translation>
  </message>
  <message>
   <source>DINOv3 file</source>
   <translation>DINOv3-Datei</translation>
  </message>
  <message>
   <source>Decay</source>
   <translation>Abfall</translation>
  </message>
  <message>
   <source>Delete it to start afresh.</source>
   <translation>Ihn löschen, um neu zu beginnen.</translation>
  </message>
  <message>
   <source>Device</source>
   <translation>Gerät</translation>
  </message>
  <message>
   <source>Device “{0}”</source>
   <translation>Gerät „{0}“</translation>
  </message>
  <message>
   <source>Direct: a picture (paper). Blend: a map between the sources and a residual. Decision: the map may copy one source exactly. Layered: one map for details and a smooth one for the rest.</source>
   <translation>Direkt: ein Bild (Veröffentlichung). Mischung: eine Karte zwischen den Quellen und ein Rest. Entscheidung: Die Karte darf eine Quelle genau übernehmen. Geschichtet: eine Karte für Einzelheiten und eine glatte für das Übrige.</translation>
  </message>
  <message>
   <source>Directions of cross-attention, such as ask_x.1, that mix channels by learned weights and not by statistics of the whole picture; empty is the paper.</source>
   <translation>Richtungen der Kreuz-Attention, etwa ask_x.1, die Kanäle mit gelernten Gewichten mischen und nicht nach der Statistik des ganzen Bildes; leer ist die Veröffentlichung.</translation>
  </message>
  <message>
   <source>Download the file with a browser, and choose it here instead.</source>
   <translation>Die Datei stattdessen mit einem Browser herunterladen und hier wählen.</translation>
  </message>
  <message>
   <source>Draws brightness to the target below.</source>
   <translation>Zieht die Helligkeit zum Ziel weiter unten.</translation>
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
   <source>End what else writes to this folder, then go on with the batch.</source>
   <translation>Beenden, was sonst noch in diesen Ordner schreibt, dann den Stapel fortsetzen.</translation>
  </message>
  <message>
   <source>Entropy</source>
   <translation>Entropie</translation>
  </message>
  <message>
   <source>Exchange sources</source>
   <translation>Quellen tauschen</translation>
  </message>
  <message>
   <source>Export it again.</source>
   <translation>Es neu exportieren.</translation>
  </message>
  <message>
   <source>Export it as 8-bit, 16-bit or floating-point TIFF.</source>
   <translation>Es als TIFF mit 8 Bit, 16 Bit oder Gleitkomma exportieren.</translation>
  </message>
  <message>
   <source>Export it as JPEG or TIFF, or install the Python package pillow-heif.</source>
   <translation>Es als JPEG oder TIFF exportieren oder das Python-Paket pillow-heif installieren.</translation>
  </message>
  <message>
   <source>Export it as PNG or TIFF.</source>
   <translation>Es als PNG oder TIFF exportieren.</translation>
  </message>
  <message>
   <source>Export it as a picture of one of these kinds: {0}.</source>
   <translation>Es als Bild einer dieser Arten exportieren: {0}.</translation>
  </message>
  <message>
   <source>Export it as grey or RGB.</source>
   <translation>Es als Grau oder RGB exportieren.</translation>
  </message>
  <message>
   <source>Export it, and work with the copy.</source>
   <translation>Es exportieren und mit der Kopie arbeiten.</translation>
  </message>
  <message>
   <source>Export the bare state dict.</source>
   <translation>Das reine State-Dict exportieren.</translation>
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
   <source>Feed-forward width</source>
   <translation>Feed-forward-Breite</translation>
  </message>
  <message>
   <source>Fine-tune</source>
   <translation>Feinabstimmung</translation>
  </message>
  <message>
   <source>Finish it with that version, or choose another output folder.</source>
   <translation>Ihn mit jener Fassung beenden oder einen anderen Zielordner wählen.</translation>
  </message>
  <message>
   <source>Finished pictures are safe. Delete {0} and begin anew, or choose another output folder.</source>
   <translation>Fertige Bilder sind nicht gefährdet. {0} löschen und neu beginnen oder einen anderen Zielordner wählen.</translation>
  </message>
  <message>
   <source>Focus</source>
   <translation>Fokus</translation>
  </message>
  <message>
   <source>Four rising block numbers from 0 whose maps are used.</source>
   <translation>Vier steigende Blocknummern ab 0, deren Karten verwendet werden.</translation>
  </message>
  <message>
   <source>Free some space or save somewhere else.</source>
   <translation>Platz schaffen oder anderswo speichern.</translation>
  </message>
  <message>
   <source>Free some space, and try again.</source>
   <translation>Platz schaffen und es erneut versuchen.</translation>
  </message>
  <message>
   <source>Free some space, then go on with the batch.</source>
   <translation>Platz schaffen, dann den Stapel fortsetzen.</translation>
  </message>
  <message>
   <source>Free some space, then go on.</source>
   <translation>Platz schaffen, dann fortsetzen.</translation>
  </message>
  <message>
   <source>Fuse it in tiles (--tiles), or close other programs.</source>
   <translation>Es in Kacheln fusionieren (--tiles) oder andere Programme schließen.</translation>
  </message>
  <message>
   <source>Fuse the pair anew.</source>
   <translation>Fusionieren Sie das Paar neu.</translation>
  </message>
  <message>
   <source>Fusion blocks</source>
   <translation>Fusionsblöcke</translation>
  </message>
  <message>
   <source>Get the pack again, or choose another one.</source>
   <translation>Das Modellpaket neu beschaffen oder ein anderes wählen.</translation>
  </message>
  <message>
   <source>Get them in the Train workspace (step 2, network “Paper”) or by “unifusion backbone fetch”, or give a file with --backbone FILE.</source>
   <translation>Sie im Arbeitsbereich „Training“ beschaffen (Schritt 2, Netz „Aufsatz“) oder mit „unifusion backbone fetch“, oder eine Datei mit --backbone DATEI angeben.</translation>
  </message>
  <message>
   <source>Give --device cuda; the first of them are taken.</source>
   <translation>--device cuda angeben; die ersten davon werden genommen.</translation>
  </message>
  <message>
   <source>Give a TOML or JSON file.</source>
   <translation>Eine TOML- oder JSON-Datei angeben.</translation>
  </message>
  <message>
   <source>Give a folder with a/ and b/ holding pictures of the same names, or names that differ in one word, such as x_pet and x_mri.</source>
   <translation>Einen Ordner mit a/ und b/ und gleichnamigen Bildern darin angeben, oder Namen, die sich in einem Wort unterscheiden, etwa x_pet und x_mri.</translation>
  </message>
  <message>
   <source>Give a folder with a/ and b/ holding pictures of the same names.</source>
   <translation>Einen Ordner mit a/ und b/ und gleichnamigen Bildern darin angeben.</translation>
  </message>
  <message>
   <source>Give a multiple of {0}.</source>
   <translation>Ein Vielfaches von {0} angeben.</translation>
  </message>
  <message>
   <source>Give a validation folder, or hold pairs back.</source>
   <translation>Einen Ordner zum Prüfen angeben oder Paare zurückhalten.</translation>
  </message>
  <message>
   <source>Give fewer, or --device cpu.</source>
   <translation>Weniger angeben, oder --device cpu.</translation>
  </message>
  <message>
   <source>Give files or folders.</source>
   <translation>Dateien oder Ordner angeben.</translation>
  </message>
  <message>
   <source>Give names below it, without “..”.</source>
   <translation>Namen darunter angeben, ohne „..“.</translation>
  </message>
  <message>
   <source>Give the .safetensors file of the weights.</source>
   <translation>Die .safetensors-Datei der Gewichte angeben.</translation>
  </message>
  <message>
   <source>Give the lower level the larger rate.</source>
   <translation>Der unteren Ebene die größere Rate geben.</translation>
  </message>
  <message>
   <source>Give the new pack another name.</source>
   <translation>Dem neuen Modellpaket einen anderen Namen geben.</translation>
  </message>
  <message>
   <source>Give the path of the file you have.</source>
   <translation>Den Pfad der vorhandenen Datei angeben.</translation>
  </message>
  <message>
   <source>Give two numbers, the lower one first.</source>
   <translation>Zwei Zahlen angeben, die kleinere zuerst.</translation>
  </message>
  <message>
   <source>Go on with it (--resume), begin anew (--overwrite), or choose another folder.</source>
   <translation>Ihn fortsetzen (--resume), neu beginnen (--overwrite) oder einen anderen Ordner wählen.</translation>
  </message>
  <message>
   <source>Go on with the batch to make it again.</source>
   <translation>Den Stapel fortsetzen, um es neu zu erzeugen.</translation>
  </message>
  <message>
   <source>Gradient</source>
   <translation>Gradient</translation>
  </message>
  <message>
   <source>Gradients with a larger norm are scaled down.</source>
   <translation>Gradienten mit größerer Norm werden verkleinert.</translation>
  </message>
  <message>
   <source>Guided filter</source>
   <translation>Geführtes Filter</translation>
  </message>
  <message>
   <source>HEIC pictures need a decoder that is not part of this program</source>
   <translation>HEIC-Bilder brauchen einen Decoder, der nicht zu diesem Programm gehört</translation>
  </message>
  <message>
   <source>Hours to days. 10,000 iterations, batch 16, crops of 128, rate 2e-4 with exponential decay, averaged weights; the losses of the paper alone.</source>
   <translation>Stunden bis Tage. 10.000 Schritte zu je 16 Ausschnitten von 128 Pixeln, Rate 2e-4 mit exponentiellem Abfall, gemittelte Gewichte; nur die Verluste des Aufsatzes.</translation>
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
   <source>How fast fusion learns.</source>
   <translation>Wie schnell die Fusion lernt.</translation>
  </message>
  <message>
   <source>How fast reconstruction learns. Larger than the upper rate.</source>
   <translation>Wie schnell die Rekonstruktion lernt. Größer als die obere Rate.</translation>
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
   <source>How much of the averaged fusion weights each step keeps; 0 switches averaging off.</source>
   <translation>Wie viel von den gemittelten Fusionsgewichten jeder Schritt behält; 0 schaltet die Mittelung ab.</translation>
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
   <source>If your network looks into connections, set SSL_CERT_FILE to its certificate. Else download the file with a browser, and choose it here instead.</source>
   <translation>Falls Ihr Netzwerk in Verbindungen hineinsieht, SSL_CERT_FILE auf dessen Zertifikat setzen. Sonst die Datei mit einem Browser herunterladen und hier wählen.</translation>
  </message>
  <message>
   <source>In each branch.</source>
   <translation>In jedem Zweig.</translation>
  </message>
  <message>
   <source>In {0} pair black to white is not all that the file could hold, but where its values lie ({1}: {2:.6g}…{3:.6g}).</source>
   <translation>In {0} Paar reicht Schwarz bis Weiß nicht über alles, was die Datei fassen könnte, sondern dorthin, wo ihre Werte liegen ({1}: {2:.6g}…{3:.6g}).</translation>
  </message>
  <message>
   <source>In {0} pairs black to white is not all that the files could hold, but where their values lie ({1}: {2:.6g}…{3:.6g}).</source>
   <translation>In {0} Paaren reicht Schwarz bis Weiß nicht über alles, was die Dateien fassen könnten, sondern dorthin, wo ihre Werte liegen ({1}: {2:.6g}…{3:.6g}).</translation>
  </message>
  <message>
   <source>Infrared</source>
   <translation>Infrarot</translation>
  </message>
  <message>
   <source>Infrared / visible</source>
   <translation>Infrarot/sichtbar</translation>
  </message>
  <message>
   <source>Infrared with visible light (compact)</source>
   <translation>Infrarot mit sichtbarem Licht (kompakt)</translation>
  </message>
  <message>
   <source>Install it with “pip install tensorboard”, or train without that log.</source>
   <translation>Mit „pip install tensorboard“ installieren oder ohne dieses Protokoll trainieren.</translation>
  </message>
  <message>
   <source>Intensity</source>
   <translation>Helligkeit</translation>
  </message>
  <message>
   <source>It was damaged or exchanged on its way, and was not kept. Try again.</source>
   <translation>Sie wurde unterwegs beschädigt oder ausgetauscht und nicht behalten. Bitte erneut versuchen.</translation>
  </message>
  <message>
   <source>It would be transparent everywhere; its opacity was left out.</source>
   <translation>Es wäre überall durchsichtig; die Deckkraft wurde weggelassen.</translation>
  </message>
  <message>
   <source>Its colours are described by codes this program does not know; they were kept.</source>
   <translation>Die Farben sind durch Kennzahlen beschrieben, die dieses Programm nicht kennt; sie blieben, wie sie sind.</translation>
  </message>
  <message>
   <source>Its gamma makes no sense and was left out.</source>
   <translation>Der Gammawert ergibt keinen Sinn und wurde weggelassen.</translation>
  </message>
  <message>
   <source>Judge every</source>
   <translation>Prüfen alle</translation>
  </message>
  <message>
   <source>Keeps strength and direction of edges. 0 is the paper.</source>
   <translation>Erhält Stärke und Richtung der Kanten. 0 wie im Aufsatz.</translation>
  </message>
  <message>
   <source>Keeps the result similar to both sources (SSIM).</source>
   <translation>Hält das Ergebnis beiden Quellen ähnlich (SSIM).</translation>
  </message>
  <message>
   <source>Keeps the steeper edge of the two sources.</source>
   <translation>Erhält die steilere Kante beider Quellen.</translation>
  </message>
  <message>
   <source>Keeps what an eye can make out of the sources. 0 is the paper.</source>
   <translation>Erhält, was ein Auge in den Quellen erkennen kann. 0 wie im Aufsatz.</translation>
  </message>
  <message>
   <source>Keeps what lies around a place from changing it; a step takes longer. 0 is the paper.</source>
   <translation>Verhindert, dass die Umgebung einer Stelle diese verändert; ein Schritt dauert länger. 0 wie im Aufsatz.</translation>
  </message>
  <message>
   <source>Laplacian pyramid</source>
   <translation>Laplace-Pyramide</translation>
  </message>
  <message>
   <source>Larger pictures are shown smaller to the backbone; 0 is no limit.</source>
   <translation>Größere Bilder sieht das Grundnetz verkleinert; 0 heißt ohne Grenze.</translation>
  </message>
  <message>
   <source>Largest change of each source's gamma and gain.</source>
   <translation>Größte Änderung von Gamma und Verstärkung jeder Quelle.</translation>
  </message>
  <message>
   <source>Largest gradient</source>
   <translation>Größter Gradient</translation>
  </message>
  <message>
   <source>Learned mixing</source>
   <translation>Gelerntes Mischen</translation>
  </message>
  <message>
   <source>Learning</source>
   <translation>Lernen</translation>
  </message>
  <message>
   <source>Learning rates</source>
   <translation>Lernraten</translation>
  </message>
  <message>
   <source>Leave it out.</source>
   <translation>Weglassen.</translation>
  </message>
  <message>
   <source>Leave out</source>
   <translation>Auslassen</translation>
  </message>
  <message>
   <source>Leave out --network, which takes the pack's, or start from another pack.</source>
   <translation>--network weglassen, dann gilt das Netz des Pakets, oder mit einem anderen Paket beginnen.</translation>
  </message>
  <message>
   <source>Leave out one of the two.</source>
   <translation>Eines der beiden weglassen.</translation>
  </message>
  <message>
   <source>Leave the network to the pack, start from another one, or from scratch.</source>
   <translation>Das Netz dem Paket überlassen, mit einem anderen beginnen oder von vorn.</translation>
  </message>
  <message>
   <source>Length</source>
   <translation>Länge</translation>
  </message>
  <message>
   <source>Let HF_ENDPOINT begin with https://, or remove it.</source>
   <translation>HF_ENDPOINT mit https:// beginnen lassen oder entfernen.</translation>
  </message>
  <message>
   <source>Let all nodes see one and the same folder.</source>
   <translation>Alle Knoten müssen ein und denselben Ordner sehen.</translation>
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
   <source>Look at the network connection and a firewall between, and try again.</source>
   <translation>Netzwerkverbindung und Firewall prüfen und es erneut versuchen.</translation>
  </message>
  <message>
   <source>Lower the learning rates and start again; {0}.</source>
   <translation>Die Lernraten senken und neu starten; {0}.</translation>
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
   <source>Metrics</source>
   <translation>Maße</translation>
  </message>
  <message>
   <source>Metrics count only where both sources hold data.</source>
   <translation>Kennzahlen zählen nur, wo beide Quellen Daten enthalten.</translation>
  </message>
  <message>
   <source>Minutes. Shows whether the data is fit and where training is heading.</source>
   <translation>Minuten. Zeigt, ob die Daten taugen und wohin das Training führt.</translation>
  </message>
  <message>
   <source>More is steadier and takes more memory.</source>
   <translation>Mehr ist gleichmäßiger und braucht mehr Speicher.</translation>
  </message>
  <message>
   <source>Most tokens</source>
   <translation>Höchstzahl Tokens</translation>
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
   <source>Name a file.</source>
   <translation>Eine Datei nennen.</translation>
  </message>
  <message>
   <source>Name another file.</source>
   <translation>Eine andere Datei nennen.</translation>
  </message>
  <message>
   <source>Name each result like its sources, for instance “{0}.png”.</source>
   <translation>Jedes Ergebnis wie seine Quellen nennen, zum Beispiel „{0}.png“.</translation>
  </message>
  <message>
   <source>Name patterns of pairs to leave out, such as llvip_*.</source>
   <translation>Namensmuster auszulassender Paare, etwa llvip_*.</translation>
  </message>
  <message>
   <source>Name template “{0}”</source>
   <translation>Namensvorlage „{0}“</translation>
  </message>
  <message>
   <source>Names do not say which source is A everywhere; look, and swap if needed.</source>
   <translation>Nicht überall sagen die Namen, welche Quelle A ist; bitte prüfen und bei Bedarf tauschen.</translation>
  </message>
  <message>
   <source>Names do not tell patients apart: neighbours by name were kept together.</source>
   <translation>Die Namen unterscheiden keine Patienten: Nachbarn nach Namen wurden zusammengehalten.</translation>
  </message>
  <message>
   <source>Names do not tell scenes apart: neighbours by name were kept together.</source>
   <translation>Die Namen unterscheiden keine Szenen: Nachbarn nach Namen wurden zusammengehalten.</translation>
  </message>
  <message>
   <source>Near focus</source>
   <translation>Fokus nah</translation>
  </message>
  <message>
   <source>Near with far focus (compact)</source>
   <translation>Fokus nah mit Fokus fern (kompakt)</translation>
  </message>
  <message>
   <source>Network</source>
   <translation>Netz</translation>
  </message>
  <message>
   <source>Network “{0}”</source>
   <translation>Netz „{0}“</translation>
  </message>
  <message>
   <source>No connection to {0}</source>
   <translation>Keine Verbindung zu {0}</translation>
  </message>
  <message>
   <source>No method “{0}” for task {1}</source>
   <translation>Kein Verfahren „{0}“ für die Aufgabe {1}</translation>
  </message>
  <message>
   <source>No output folder</source>
   <translation>Kein Zielordner</translation>
  </message>
  <message>
   <source>No pack for task {0}</source>
   <translation>Kein Modellpaket für die Aufgabe {0}</translation>
  </message>
  <message>
   <source>No pack “{0}” for task {1}</source>
   <translation>Kein Modellpaket „{0}“ für die Aufgabe {1}</translation>
  </message>
  <message>
   <source>No screenshot</source>
   <translation>Kein Bildschirmfoto</translation>
  </message>
  <message>
   <source>No state of {0} steps scored higher than the start: the start was kept.</source>
   <translation>Kein Stand aus {0} Schritten war besser als der Anfang: Der Anfang wurde behalten.</translation>
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
   <source>Not allowed: military, nuclear and espionage purposes, weapons, breach of trade controls, and reverse engineering.</source>
   <translation>Nicht erlaubt: militärische und nukleare Zwecke, Spionage, Waffen, Verstöße gegen Handelskontrollen und Reverse Engineering.</translation>
  </message>
  <message>
   <source>Nothing to pair</source>
   <translation>Nichts zu paaren</translation>
  </message>
  <message>
   <source>Nothing was fused</source>
   <translation>Es wurde nichts fusioniert</translation>
  </message>
  <message>
   <source>Numbering starts at cuda:0.</source>
   <translation>Die Zählung beginnt bei cuda:0.</translation>
  </message>
  <message>
   <source>Objective of the lower level.</source>
   <translation>Ziel der unteren Ebene.</translation>
  </message>
  <message>
   <source>Objectives</source>
   <translation>Ziele</translation>
  </message>
  <message>
   <source>Of more than two exposures of a scene, the least and the most exposed are paired.</source>
   <translation>Von mehr als zwei Belichtungen einer Szene wird die dunkelste mit der hellsten gepaart.</translation>
  </message>
  <message>
   <source>Of the feature maps; a multiple of the heads.</source>
   <translation>Der Merkmalskarten; ein Vielfaches der Köpfe.</translation>
  </message>
  <message>
   <source>Of the full-resolution layers.</source>
   <translation>Der Lagen in voller Auflösung.</translation>
  </message>
  <message>
   <source>Of the fusion blocks.</source>
   <translation>Der Fusionsblöcke.</translation>
  </message>
  <message>
   <source>Off: fusion objective only, so one level.</source>
   <translation>Aus: nur das Ziel der Fusion, also eine Ebene.</translation>
  </message>
  <message>
   <source>Off: one optimiser on the sum of all objectives.</source>
   <translation>Aus: ein Optimierer für die Summe aller Ziele.</translation>
  </message>
  <message>
   <source>Off: plain upsampling of the features.</source>
   <translation>Aus: einfaches Hochrechnen der Merkmale.</translation>
  </message>
  <message>
   <source>One of the two files may be damaged: export it again, or use “Retry failed” (--retry-failed on the command line).</source>
   <translation>Vielleicht ist eine der beiden Dateien beschädigt: neu exportieren oder „Fehler wiederholen“ wählen (--retry-failed auf der Befehlszeile).</translation>
  </message>
  <message>
   <source>One step improves reconstruction once and fusion once.</source>
   <translation>Ein Schritt verbessert einmal die Rekonstruktion und einmal die Fusion.</translation>
  </message>
  <message>
   <source>Only {0} pair to train on: the network may learn it by heart.</source>
   <translation>Nur {0} Paar zum Trainieren: Das Netz könnte es auswendig lernen.</translation>
  </message>
  <message>
   <source>Only {0} pairs to train on: the network may learn them by heart.</source>
   <translation>Nur {0} Paare zum Trainieren: Das Netz könnte sie auswendig lernen.</translation>
  </message>
  <message>
   <source>Open its page in a browser, agree there, download the file, and choose it here.</source>
   <translation>Ihre Seite in einem Browser öffnen, dort zustimmen, die Datei herunterladen und hier wählen.</translation>
  </message>
  <message>
   <source>Open two pictures of your own, or install the program again.</source>
   <translation>Zwei eigene Bilder öffnen oder das Programm neu installieren.</translation>
  </message>
  <message>
   <source>Output</source>
   <translation>Ausgabe</translation>
  </message>
  <message>
   <source>Output width</source>
   <translation>Breite der Ausgabe</translation>
  </message>
  <message>
   <source>Over the token width.</source>
   <translation>Bezogen auf die Tokenbreite.</translation>
  </message>
  <message>
   <source>Over the width of the maps.</source>
   <translation>Bezogen auf die Breite der Karten.</translation>
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
   <source>PET, SPECT or CT with MRI (compact)</source>
   <translation>PET, SPECT oder CT mit MRT (kompakt)</translation>
  </message>
  <message>
   <source>PSNR as printed in the UniFusion paper (dB)</source>
   <translation>PSNR wie im UniFusion-Aufsatz gedruckt (dB)</translation>
  </message>
  <message>
   <source>Pack to start from; empty is from scratch.</source>
   <translation>Modellpaket als Ausgang; leer heißt von Grund auf.</translation>
  </message>
  <message>
   <source>Pack “{0}”</source>
   <translation>Modellpaket „{0}“</translation>
  </message>
  <message>
   <source>Pair “{0}”</source>
   <translation>Paar „{0}“</translation>
  </message>
  <message>
   <source>Pairs to judge by</source>
   <translation>Paare zum Prüfen</translation>
  </message>
  <message>
   <source>Paper</source>
   <translation>Aufsatz</translation>
  </message>
  <message>
   <source>Pause first.</source>
   <translation>Erst pausieren.</translation>
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
   <source>Pictures</source>
   <translation>Bilder</translation>
  </message>
  <message>
   <source>Precision</source>
   <translation>Genauigkeit</translation>
  </message>
  <message>
   <source>Publications of results that DINOv3 had a part in say so.</source>
   <translation>Veröffentlichungen von Ergebnissen, an denen DINOv3 beteiligt war, sagen das.</translation>
  </message>
  <message>
   <source>Quick look</source>
   <translation>Kurzer Versuch</translation>
  </message>
  <message>
   <source>Rate, lower level</source>
   <translation>Rate, untere Ebene</translation>
  </message>
  <message>
   <source>Rate, upper level</source>
   <translation>Rate, obere Ebene</translation>
  </message>
  <message>
   <source>Reconstruction</source>
   <translation>Rekonstruktion</translation>
  </message>
  <message>
   <source>Reconstruction blocks</source>
   <translation>Rekonstruktionsblöcke</translation>
  </message>
  <message>
   <source>Rename that one.</source>
   <translation>Jenes umbenennen.</translation>
  </message>
  <message>
   <source>Resample B onto A (--resample on the command line, the button in the window), or choose pictures of the same scene and size.</source>
   <translation>B auf A umrechnen (--resample in der Befehlszeile, die Schaltfläche im Fenster) oder Bilder derselben Szene und Größe wählen.</translation>
  </message>
  <message>
   <source>Resampled from {0}×{1} to {2}×{3} pixels.</source>
   <translation>Umgerechnet von {0}×{1} auf {2}×{3} Pixel.</translation>
  </message>
  <message>
   <source>Resolution of the heavy blocks</source>
   <translation>Auflösung, schwere Blöcke</translation>
  </message>
  <message>
   <source>Resume with that file, or give another output.</source>
   <translation>Mit jener Datei fortsetzen oder ein anderes Ziel angeben.</translation>
  </message>
  <message>
   <source>Resume with the same settings, or give another output.</source>
   <translation>Mit denselben Einstellungen fortsetzen oder ein anderes Ziel angeben.</translation>
  </message>
  <message>
   <source>Run it on the CPU (--device cpu), or choose a smaller picture.</source>
   <translation>Auf der CPU rechnen (--device cpu) oder ein kleineres Bild wählen.</translation>
  </message>
  <message>
   <source>Run “unifusion packs list”.</source>
   <translation>„unifusion packs list“ ausführen.</translation>
  </message>
  <message>
   <source>Run: sudo apt-get install fonts-dejavu-core</source>
   <translation>Ausführen: sudo apt-get install fonts-dejavu-core</translation>
  </message>
  <message>
   <source>Same in any surroundings</source>
   <translation>Von der Umgebung unabhängig</translation>
  </message>
  <message>
   <source>Save every</source>
   <translation>Speichern alle</translation>
  </message>
  <message>
   <source>Save it as PNG or TIFF.</source>
   <translation>Als PNG oder TIFF speichern.</translation>
  </message>
  <message>
   <source>Save it on another disk.</source>
   <translation>Auf einem anderen Laufwerk speichern.</translation>
  </message>
  <message>
   <source>Save somewhere else.</source>
   <translation>Anderswo speichern.</translation>
  </message>
  <message>
   <source>Save the one you want as a file of its own.</source>
   <translation>Das gewünschte als eigene Datei speichern.</translation>
  </message>
  <message>
   <source>Scale them down and save again.</source>
   <translation>Sie verkleinern und neu speichern.</translation>
  </message>
  <message>
   <source>Seed</source>
   <translation>Startwert</translation>
  </message>
  <message>
   <source>Set HTTPS_PROXY to http://USER:PASSWORD@PROXY:PORT as your network asks for it, and start the program again.</source>
   <translation>HTTPS_PROXY auf http://NAME:PASSWORT@PROXY:PORT setzen, wie Ihr Netzwerk es verlangt, und das Programm neu starten.</translation>
  </message>
  <message>
   <source>Set NODE_RANK (0 on the first node), MASTER_ADDR and MASTER_PORT on every node, or start the command by torchrun.</source>
   <translation>NODE_RANK (0 auf dem ersten Knoten), MASTER_ADDR und MASTER_PORT auf jedem Knoten setzen oder den Befehl mit torchrun starten.</translation>
  </message>
  <message>
   <source>Share of the crops with truth that are blurred anew.</source>
   <translation>Anteil der Ausschnitte mit Wahrheit, die neu unscharf gemacht werden.</translation>
  </message>
  <message>
   <source>Side of the square crops; a multiple of 16.</source>
   <translation>Seite der quadratischen Ausschnitte; ein Vielfaches von 16.</translation>
  </message>
  <message>
   <source>Simulated defocus</source>
   <translation>Simulierte Unschärfe</translation>
  </message>
  <message>
   <source>Something unexpected went wrong</source>
   <translation>Etwas Unerwartetes ging schief</translation>
  </message>
  <message>
   <source>Source A and source B are the same picture.</source>
   <translation>Quelle A und Quelle B sind dasselbe Bild.</translation>
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
   <source>Start from</source>
   <translation>Ausgehen von</translation>
  </message>
  <message>
   <source>Start the command again: it goes on from the last checkpoint.</source>
   <translation>Den Befehl erneut starten: Er geht vom letzten Zwischenstand aus weiter.</translation>
  </message>
  <message>
   <source>Start the run again, and let it save once.</source>
   <translation>Den Lauf erneut starten und einmal speichern lassen.</translation>
  </message>
  <message>
   <source>Steps</source>
   <translation>Schritte</translation>
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
   <source>Structure</source>
   <translation>Struktur</translation>
  </message>
  <message>
   <source>Structure weighting</source>
   <translation>Gewichtung der Struktur</translation>
  </message>
  <message>
   <source>Sum of the correlations of differences</source>
   <translation>Summe der Korrelationen der Differenzen</translation>
  </message>
  <message>
   <source>Taps</source>
   <translation>Abgriffe</translation>
  </message>
  <message>
   <source>TensorBoard is not installed</source>
   <translation>TensorBoard ist nicht installiert</translation>
  </message>
  <message>
   <source>The DINOv3 file is not used: the network of this run needs none.</source>
   <translation>Die DINOv3-Datei wird nicht gebraucht: Das Netz dieses Laufs benötigt keine.</translation>
  </message>
  <message>
   <source>The DINOv3 file {0} is not used: {1} needs none</source>
   <translation>Die DINOv3-Datei {0} wird nicht gebraucht: {1} benötigt keine</translation>
  </message>
  <message>
   <source>The PSNR, shifted by a constant so it can be read beside the paper's table.</source>
   <translation>Das PSNR, um eine Konstante verschoben, damit es neben der Tabelle des Aufsatzes lesbar ist.</translation>
  </message>
  <message>
   <source>The batch in {0}</source>
   <translation>Der Stapel in {0}</translation>
  </message>
  <message>
   <source>The embedded colour profile could not be used; colours are shown as stored.</source>
   <translation>Das eingebettete Farbprofil war nicht verwendbar; die Farben erscheinen wie gespeichert.</translation>
  </message>
  <message>
   <source>The embedded colour profile was left out: it does not fit these numbers.</source>
   <translation>Das eingebettete Farbprofil wurde weggelassen: Es passt nicht zu diesen Zahlen.</translation>
  </message>
  <message>
   <source>The file from {0}</source>
   <translation>Die Datei von {0}</translation>
  </message>
  <message>
   <source>The file holds {0} pictures of one shot; the first is used.</source>
   <translation>Die Datei enthält {0} Bilder einer Aufnahme; das erste wird verwendet.</translation>
  </message>
  <message>
   <source>The file is damaged; what could be decoded of it is shown ({0}).</source>
   <translation>Die Datei ist beschädigt; gezeigt wird, was sich von ihr lesen ließ ({0}).</translation>
  </message>
  <message>
   <source>The file is too large to be checked for damage.</source>
   <translation>Die Datei ist zu groß, um auf Schäden geprüft zu werden.</translation>
  </message>
  <message>
   <source>The folder {0}</source>
   <translation>Der Ordner {0}</translation>
  </message>
  <message>
   <source>The fused picture differs in size from its sources</source>
   <translation>Das fusionierte Bild hat eine andere Größe als seine Quellen</translation>
  </message>
  <message>
   <source>The larger or the mean of both sources, more of the brighter than of the darker one, or the locally sharper one.</source>
   <translation>Das Maximum oder das Mittel beider Quellen, mehr von der helleren als von der dunkleren, oder die örtlich schärfere.</translation>
  </message>
  <message>
   <source>The name “{0}”</source>
   <translation>Der Name „{0}“</translation>
  </message>
  <message>
   <source>The newest checkpoint is damaged; the run goes on from the one before, step {0}.</source>
   <translation>Der neueste Zwischenstand ist beschädigt; der Lauf geht vom vorigen aus weiter, Schritt {0}.</translation>
  </message>
  <message>
   <source>The pairs to compare on</source>
   <translation>Die Paare für den Vergleich</translation>
  </message>
  <message>
   <source>The palette was expanded to RGB.</source>
   <translation>Die Farbpalette wurde in RGB umgewandelt.</translation>
  </message>
  <message>
   <source>The pictures of {0} pairs to train on</source>
   <translation>Die Bilder von {0} Paaren zum Trainieren</translation>
  </message>
  <message>
   <source>The pictures to train on</source>
   <translation>Die Bilder für das Training</translation>
  </message>
  <message>
   <source>The proportions differ ({0} and {1})</source>
   <translation>Die Seitenverhältnisse sind verschieden ({0} und {1})</translation>
  </message>
  <message>
   <source>The record of this batch ({0})</source>
   <translation>Das Protokoll dieses Stapels ({0})</translation>
  </message>
  <message>
   <source>The run has not begun.</source>
   <translation>Der Lauf hat noch nicht begonnen.</translation>
  </message>
  <message>
   <source>The same figure as SSIM: the authors' code and the definition agree.</source>
   <translation>Dieselbe Zahl wie SSIM: Code der Autoren und Definition stimmen überein.</translation>
  </message>
  <message>
   <source>The same seed and pictures give the same pack.</source>
   <translation>Gleicher Startwert und gleiche Bilder ergeben das gleiche Modellpaket.</translation>
  </message>
  <message>
   <source>The two files may be too large for the memory, or damaged: export them again, or use “Retry failed” (--retry-failed on the command line).</source>
   <translation>Vielleicht sind die beiden Dateien zu groß für den Arbeitsspeicher oder beschädigt: neu exportieren oder „Fehler wiederholen“ wählen (--retry-failed auf der Befehlszeile).</translation>
  </message>
  <message>
   <source>The two pictures</source>
   <translation>Die beiden Bilder</translation>
  </message>
  <message>
   <source>The two pictures differ in size</source>
   <translation>Die zwei Bilder haben verschiedene Größen</translation>
  </message>
  <message>
   <source>The window cannot open</source>
   <translation>Das Fenster lässt sich nicht öffnen</translation>
  </message>
  <message>
   <source>The window {0:.6g} {1:.6g}</source>
   <translation>Das Fenster {0:.6g} {1:.6g}</translation>
  </message>
  <message>
   <source>There is no sample pair for “{0}”</source>
   <translation>Für „{0}“ gibt es kein Beispielpaar</translation>
  </message>
  <message>
   <source>There is no warranty. Meta may change the licence, and may end it for who breaks it.</source>
   <translation>Es gibt keine Gewähr. Meta kann die Lizenz ändern und sie bei Verstößen beenden.</translation>
  </message>
  <message>
   <source>There is not enough memory for this</source>
   <translation>Dafür reicht der Speicher nicht</translation>
  </message>
  <message>
   <source>These pictures seem to be of another kind: their names speak of “{0}” ({1}), the task is “{2}” ({3}).</source>
   <translation>Diese Bilder scheinen von anderer Art zu sein: Ihre Namen sprechen von „{0}“ ({1}), die Aufgabe ist „{2}“ ({3}).</translation>
  </message>
  <message>
   <source>Token width</source>
   <translation>Tokenbreite</translation>
  </message>
  <message>
   <source>Train it again with --backbone FILE.</source>
   <translation>Es neu mit --backbone DATEI trainieren.</translation>
  </message>
  <message>
   <source>Trained for {0} steps; the state of the best score was kept.</source>
   <translation>{0} Schritte trainiert; behalten wurde der Stand mit der besten Wertung.</translation>
  </message>
  <message>
   <source>Training diverged at step {0}</source>
   <translation>Das Training lief bei Schritt {0} auseinander</translation>
  </message>
  <message>
   <source>Training with several processes</source>
   <translation>Training mit mehreren Prozessen</translation>
  </message>
  <message>
   <source>Training with {0} crops of {1}×{1}</source>
   <translation>Training mit {0} Ausschnitten von {1}×{1}</translation>
  </message>
  <message>
   <source>Training with {0} crops of {1}×{1} does not fit {2}</source>
   <translation>Training mit {0} Ausschnitten von {1}×{1} passt nicht auf {2}</translation>
  </message>
  <message>
   <source>Transformer blocks.</source>
   <translation>Transformer-Blöcke.</translation>
  </message>
  <message>
   <source>Transparent areas were put on black.</source>
   <translation>Durchsichtige Bereiche wurden auf Schwarz gelegt.</translation>
  </message>
  <message>
   <source>Try again later, or download the file with a browser and choose it here.</source>
   <translation>Es später erneut versuchen, oder die Datei mit einem Browser herunterladen und hier wählen.</translation>
  </message>
  <message>
   <source>Try again.</source>
   <translation>Bitte erneut versuchen.</translation>
  </message>
  <message>
   <source>Try again; if it happens again, copy the details and report them.</source>
   <translation>Bitte erneut versuchen; wenn es wieder geschieht, die Einzelheiten kopieren und melden.</translation>
  </message>
  <message>
   <source>Turned upright, as the file's orientation mark says.</source>
   <translation>Aufgerichtet, wie die Ausrichtungsangabe der Datei es sagt.</translation>
  </message>
  <message>
   <source>Two levels</source>
   <translation>Zwei Ebenen</translation>
  </message>
  <message>
   <source>Under- with over-exposed (compact)</source>
   <translation>Unter- mit überbelichtet (kompakt)</translation>
  </message>
  <message>
   <source>Under-exposed</source>
   <translation>Unterbelichtet</translation>
  </message>
  <message>
   <source>Unknown classical method “{0}”</source>
   <translation>Unbekanntes klassisches Verfahren „{0}“</translation>
  </message>
  <message>
   <source>Unknown device “{0}”</source>
   <translation>Unbekanntes Gerät „{0}“</translation>
  </message>
  <message>
   <source>Unknown format “{0}”</source>
   <translation>Unbekanntes Format „{0}“</translation>
  </message>
  <message>
   <source>Unknown metric “{0}”</source>
   <translation>Unbekanntes Maß „{0}“</translation>
  </message>
  <message>
   <source>Unknown preset “{0}”</source>
   <translation>Unbekannte Voreinstellung „{0}“</translation>
  </message>
  <message>
   <source>Unknown task “{0}”</source>
   <translation>Unbekannte Aufgabe „{0}“</translation>
  </message>
  <message>
   <source>Up to an hour on a CPU. Teaches a trained network the look of your pictures.</source>
   <translation>Bis zu einer Stunde auf einer CPU. Bringt einem trainierten Netz das Aussehen Ihrer Bilder bei.</translation>
  </message>
  <message>
   <source>Up to {0} % of what is shown of it may be wrong: a checksum is.</source>
   <translation>Bis zu {0} % des Gezeigten können falsch sein: Eine Prüfsumme stimmt nicht.</translation>
  </message>
  <message>
   <source>Update UniFusion Studio, or get the pack in a matching version.</source>
   <translation>UniFusion Studio aktualisieren oder das Modellpaket in passender Fassung beschaffen.</translation>
  </message>
  <message>
   <source>Use a smaller batch or crop, or close other programs.</source>
   <translation>Weniger oder kleinere Ausschnitte je Schritt wählen oder andere Programme schließen.</translation>
  </message>
  <message>
   <source>Use a smaller batch or crop; the last checkpoint is kept.</source>
   <translation>Weniger oder kleinere Ausschnitte nehmen; der letzte Zwischenstand bleibt erhalten.</translation>
  </message>
  <message>
   <source>Use another name or allow overwriting.</source>
   <translation>Einen anderen Namen nehmen oder Überschreiben erlauben.</translation>
  </message>
  <message>
   <source>Use another name.</source>
   <translation>Einen anderen Namen nehmen.</translation>
  </message>
  <message>
   <source>Use another template or folder, or allow overwriting.</source>
   <translation>Eine andere Vorlage oder einen anderen Ordner nehmen oder Überschreiben erlauben.</translation>
  </message>
  <message>
   <source>Use fewer crops per step, or smaller ones.</source>
   <translation>Weniger Ausschnitte je Schritt nehmen, oder kleinere.</translation>
  </message>
  <message>
   <source>Use fewer or smaller pictures, or close other programs.</source>
   <translation>Weniger oder kleinere Bilder verwenden oder andere Programme schließen.</translation>
  </message>
  <message>
   <source>Use folders a/ and b/, or names that differ in one word, such as x_ir and x_vis.</source>
   <translation>Verwenden Sie Ordner a/ und b/ oder Namen, die sich in einem Wort unterscheiden, etwa x_ir und x_vis.</translation>
  </message>
  <message>
   <source>Use for instance “{0}”.</source>
   <translation>Zum Beispiel „{0}“ nehmen.</translation>
  </message>
  <message>
   <source>Use one of: {0}.</source>
   <translation>Eines davon nehmen: {0}.</translation>
  </message>
  <message>
   <source>Use that one.</source>
   <translation>Jenes nehmen.</translation>
  </message>
  <message>
   <source>Use the DINOv3 file the pack was trained with.</source>
   <translation>Die DINOv3-Datei nehmen, mit der das Modellpaket trainiert wurde.</translation>
  </message>
  <message>
   <source>Use the timm release of DINOv3 ViT-S/16.</source>
   <translation>Die timm-Ausgabe von DINOv3 ViT-S/16 nehmen.</translation>
  </message>
  <message>
   <source>Use those again, choose another folder, or begin anew (--overwrite, no --resume).</source>
   <translation>Wieder dieselben nehmen, einen anderen Ordner wählen oder neu beginnen (--overwrite, ohne --resume).</translation>
  </message>
  <message>
   <source>Use: {0}.</source>
   <translation>Möglich sind: {0}.</translation>
  </message>
  <message>
   <source>Values of 0…{0} were stretched to 0…255.</source>
   <translation>Werte von 0…{0} wurden auf 0…255 gespreizt.</translation>
  </message>
  <message>
   <source>Values of A that are black and white, in its own numbers, such as 29300 30900. Empty takes what each picture gives.</source>
   <translation>Werte von A, die schwarz und weiß sind, in seinen eigenen Zahlen, etwa 29300 30900. Leer gilt, was jedes Bild ergibt.</translation>
  </message>
  <message>
   <source>Values of B that are black and white, in its own numbers. Empty takes what each picture gives.</source>
   <translation>Werte von B, die schwarz und weiß sind, in seinen eigenen Zahlen. Leer gilt, was jedes Bild ergibt.</translation>
  </message>
  <message>
   <source>Values were converted to sRGB from gamma {0}, which the file states.</source>
   <translation>Die Werte wurden von Gamma {0}, das in der Datei steht, in sRGB umgewandelt.</translation>
  </message>
  <message>
   <source>Values {0:.6g}…{1:.6g} are black to white in both pictures. Set others by --window-a and --window-b, or by low and high in the Display tab.</source>
   <translation>Die Werte {0:.6g}…{1:.6g} reichen in beiden Bildern von Schwarz bis Weiß. Andere setzen: mit --window-a und --window-b oder mit Unten und Oben im Reiter Darstellung.</translation>
  </message>
  <message>
   <source>Values {0:.6g}…{1:.6g} are black to white, as the file says.</source>
   <translation>Die Werte {0:.6g}…{1:.6g} reichen von Schwarz bis Weiß, wie die Datei es angibt.</translation>
  </message>
  <message>
   <source>Values {0:.6g}…{1:.6g} are black to white, as was asked for.</source>
   <translation>Die Werte {0:.6g}…{1:.6g} reichen von Schwarz bis Weiß, wie verlangt.</translation>
  </message>
  <message>
   <source>Values {0:.6g}…{1:.6g} are black to white, since nearly all pixels lie there. Set others by --window-a and --window-b, or by low and high in the Display tab.</source>
   <translation>Die Werte {0:.6g}…{1:.6g} reichen von Schwarz bis Weiß, denn dort liegen fast alle Pixel. Andere setzen: mit --window-a und --window-b oder mit Unten und Oben im Reiter Darstellung.</translation>
  </message>
  <message>
   <source>Values {0:.6g}…{1:.6g} of {2:.6g}…{3:.6g} are black to white, since nearly all pixels lie there. Set others by --window-a and --window-b, or by low and high in the Display tab.</source>
   <translation>Die Werte {0:.6g}…{1:.6g} von {2:.6g}…{3:.6g} reichen von Schwarz bis Weiß, denn dort liegen fast alle Pixel. Andere setzen: mit --window-a und --window-b oder mit Unten und Oben im Reiter Darstellung.</translation>
  </message>
  <message>
   <source>Vary brightness</source>
   <translation>Helligkeit variieren</translation>
  </message>
  <message>
   <source>Visible</source>
   <translation>Sichtbar</translation>
  </message>
  <message>
   <source>Visual information</source>
   <translation>Sichtbare Information</translation>
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
   <source>Wait for it, stop it, or give another output.</source>
   <translation>Darauf warten, ihn anhalten oder ein anderes Ziel angeben.</translation>
  </message>
  <message>
   <source>Wait until it has ended, or choose another folder.</source>
   <translation>Warten, bis er beendet ist, oder einen anderen Ordner wählen.</translation>
  </message>
  <message>
   <source>Watching</source>
   <translation>Beobachten</translation>
  </message>
  <message>
   <source>Weights of DINOv3 ViT-S/16, needed by that backbone.</source>
   <translation>Gewichte von DINOv3 ViT-S/16, die dieses Grundnetz braucht.</translation>
  </message>
  <message>
   <source>What is left of both rates at the last step; they fall exponentially.</source>
   <translation>Was von beiden Raten beim letzten Schritt bleibt; sie fallen exponentiell.</translation>
  </message>
  <message>
   <source>What {0} sent</source>
   <translation>Was {0} geschickt hat</translation>
  </message>
  <message>
   <source>Where a folder gt/ holds the wanted picture, compare with it alone.</source>
   <translation>Wo ein Ordner gt/ das gewünschte Bild enthält, nur damit vergleichen.</translation>
  </message>
  <message>
   <source>Where to train: auto, cpu, cuda or cuda:N.</source>
   <translation>Wo trainiert wird: auto, cpu, cuda oder cuda:N.</translation>
  </message>
  <message>
   <source>Whether what was added to one source really comes from the other.</source>
   <translation>Ob das, was zu einer Quelle hinzukam, wirklich aus der anderen stammt.</translation>
  </message>
  <message>
   <source>Whoever passes on the weights, or something made from them, does so under the same licence, with a copy of it and the words “Built with DINOv3”.</source>
   <translation>Wer die Gewichte oder etwas daraus Gemachtes weitergibt, tut das unter derselben Lizenz, mit einer Kopie davon und den Worten „Built with DINOv3“.</translation>
  </message>
  <message>
   <source>Width</source>
   <translation>Breite</translation>
  </message>
  <message>
   <source>Window of A</source>
   <translation>Fenster von A</translation>
  </message>
  <message>
   <source>Window of B</source>
   <translation>Fenster von B</translation>
  </message>
  <message>
   <source>Write {0} and {1} for braces.</source>
   <translation>Für geschweifte Klammern {0} und {1} schreiben.</translation>
  </message>
  <message>
   <source>Write {0}.</source>
   <translation>{0} schreiben.</translation>
  </message>
  <message>
   <source>You may use, copy, change and pass on the weights without payment, also commercially.</source>
   <translation>Sie dürfen die Gewichte ohne Entgelt nutzen, kopieren, ändern und weitergeben, auch gewerblich.</translation>
  </message>
  <message>
   <source>a CUDA GPU is present</source>
   <translation>eine CUDA-GPU ist vorhanden</translation>
  </message>
  <message>
   <source>a fusion needs two pictures, A and B</source>
   <translation>eine Fusion braucht zwei Bilder, A und B</translation>
  </message>
  <message>
   <source>a middle exposure ({0}): the least ({1}) and the most exposed ({2}) are paired</source>
   <translation>eine mittlere Belichtung ({0}): gepaart werden die dunkelste ({1}) und die hellste ({2})</translation>
  </message>
  <message>
   <source>a near- with a far-focused frame</source>
   <translation>eine nah und eine fern fokussierte Aufnahme</translation>
  </message>
  <message>
   <source>a pack's name ends in {0}</source>
   <translation>der Name eines Modellpakets endet auf {0}</translation>
  </message>
  <message>
   <source>a part of it cannot be understood</source>
   <translation>ein Teil davon ist nicht zu verstehen</translation>
  </message>
  <message>
   <source>a part of it is cut short</source>
   <translation>ein Teil davon ist abgeschnitten</translation>
  </message>
  <message>
   <source>a picture holds values that are not numbers</source>
   <translation>ein Bild enthält Werte, die keine Zahlen sind</translation>
  </message>
  <message>
   <source>a source cannot be read or was changed since: fused again</source>
   <translation>eine Quelle ist nicht lesbar oder wurde seither geändert: wird neu fusioniert</translation>
  </message>
  <message>
   <source>a step takes about {0} MB beside the pictures, and {1} MB are free</source>
   <translation>ein Schritt braucht neben den Bildern etwa {0} MB, frei sind {1} MB</translation>
  </message>
  <message>
   <source>a third folder beside {0}: {1} pictures</source>
   <translation>ein dritter Ordner neben {0}: {1} Bilder</translation>
  </message>
  <message>
   <source>a value is greater than the header says</source>
   <translation>ein Wert ist größer, als der Dateikopf angibt</translation>
  </message>
  <message>
   <source>an under- with an over-exposed frame</source>
   <translation>eine unter- und eine überbelichtete Aufnahme</translation>
  </message>
  <message>
   <source>another batch is writing to it just now</source>
   <translation>gerade schreibt ein anderer Stapel hinein</translation>
  </message>
  <message>
   <source>another pack has it</source>
   <translation>ein anderes Modellpaket hat ihn</translation>
  </message>
  <message>
   <source>another pack has its name by now</source>
   <translation>inzwischen trägt ein anderes Modellpaket seinen Namen</translation>
  </message>
  <message>
   <source>another version of this program wrote it</source>
   <translation>eine andere Version dieses Programms hat ihn geschrieben</translation>
  </message>
  <message>
   <source>as the sources</source>
   <translation>wie die Quellen</translation>
  </message>
  <message>
   <source>batch {0}</source>
   <translation>{0} Ausschnitte je Schritt</translation>
  </message>
  <message>
   <source>bf16 is mixed precision: faster on recent devices, losses stay exact.</source>
   <translation>bf16 ist gemischte Genauigkeit: auf neuen Geräten schneller, Verluste bleiben genau.</translation>
  </message>
  <message>
   <source>blend</source>
   <translation>Mischung</translation>
  </message>
  <message>
   <source>brighter</source>
   <translation>heller</translation>
  </message>
  <message>
   <source>cannot be decoded</source>
   <translation>nicht zu dekodieren</translation>
  </message>
  <message>
   <source>cannot be read as weights ({0})</source>
   <translation>nicht als Gewichte lesbar ({0})</translation>
  </message>
  <message>
   <source>channels</source>
   <translation>Kanäle</translation>
  </message>
  <message>
   <source>checking the file</source>
   <translation>Datei prüfen</translation>
  </message>
  <message>
   <source>checksum of part {0} is wrong</source>
   <translation>die Prüfsumme von Teil {0} ist falsch</translation>
  </message>
  <message>
   <source>classical methods run on the CPU</source>
   <translation>klassische Verfahren laufen auf der CPU</translation>
  </message>
  <message>
   <source>colour</source>
   <translation>Farbe</translation>
  </message>
  <message>
   <source>colour space {0}</source>
   <translation>Farbraum {0}</translation>
  </message>
  <message>
   <source>comparing</source>
   <translation>Vergleichen</translation>
  </message>
  <message>
   <source>connecting</source>
   <translation>Verbinden</translation>
  </message>
  <message>
   <source>crops</source>
   <translation>Ausschnitte</translation>
  </message>
  <message>
   <source>decision</source>
   <translation>Entscheidung</translation>
  </message>
  <message>
   <source>decoding it takes too long</source>
   <translation>das Lesen dauert zu lange</translation>
  </message>
  <message>
   <source>depth</source>
   <translation>Tiefe</translation>
  </message>
  <message>
   <source>differ only in {0}/{1}</source>
   <translation>unterscheiden sich nur in {0}/{1}</translation>
  </message>
  <message>
   <source>direct</source>
   <translation>direkt</translation>
  </message>
  <message>
   <source>done</source>
   <translation>fertig</translation>
  </message>
  <message>
   <source>done before</source>
   <translation>schon früher fertig</translation>
  </message>
  <message>
   <source>done before; someone changed the result since, it was kept</source>
   <translation>schon früher fertig; das Ergebnis wurde seither geändert und blieb erhalten</translation>
  </message>
  <message>
   <source>downloading</source>
   <translation>Herunterladen</translation>
  </message>
  <message>
   <source>empty display window {0}</source>
   <translation>leeres Anzeigefenster {0}</translation>
  </message>
  <message>
   <source>encoder</source>
   <translation>Encoder</translation>
  </message>
  <message>
   <source>encoding</source>
   <translation>Kodieren</translation>
  </message>
  <message>
   <source>equal</source>
   <translation>gleich</translation>
  </message>
  <message>
   <source>expected 8-bit luma, got {0} of shape {1}</source>
   <translation>erwartet wurde 8-Bit-Helligkeit, es kam {0} der Form {1}</translation>
  </message>
  <message>
   <source>expected height×width×1 or 3, got {0}</source>
   <translation>erwartet wurde Höhe×Breite×1 oder 3, es kam {0}</translation>
  </message>
  <message>
   <source>expected height×width×1 or 3, got {0}, {1}</source>
   <translation>erwartet wurde Höhe×Breite×1 oder 3, es kam {0}, {1}</translation>
  </message>
  <message>
   <source>figures</source>
   <translation>Abbildungen</translation>
  </message>
  <message>
   <source>folder tree</source>
   <translation>Ordnerbaum</translation>
  </message>
  <message>
   <source>format</source>
   <translation>Format</translation>
  </message>
  <message>
   <source>frames (it is animated)</source>
   <translation>Einzelbilder (sie ist animiert)</translation>
  </message>
  <message>
   <source>fusing</source>
   <translation>Fusionieren</translation>
  </message>
  <message>
   <source>gradient</source>
   <translation>Gradient</translation>
  </message>
  <message>
   <source>is missing</source>
   <translation>fehlt</translation>
  </message>
  <message>
   <source>is no setting of this program</source>
   <translation>ist keine Einstellung dieses Programms</translation>
  </message>
  <message>
   <source>is not a table of tensors</source>
   <translation>ist keine Tabelle von Tensoren</translation>
  </message>
  <message>
   <source>it asks for a login or for an agreement on its own page (answer {0})</source>
   <translation>verlangt wird eine Anmeldung oder Zustimmung auf der eigenen Seite (Antwort {0})</translation>
  </message>
  <message>
   <source>it came with the program and stays as it is</source>
   <translation>es kam mit dem Programm und bleibt, wie es ist</translation>
  </message>
  <message>
   <source>it cannot be divided among {0} processes</source>
   <translation>das lässt sich nicht auf {0} Prozesse verteilen</translation>
  </message>
  <message>
   <source>it cannot be reached any more ({0})</source>
   <translation>er ist nicht mehr erreichbar ({0})</translation>
  </message>
  <message>
   <source>it cannot be read</source>
   <translation>sie ist nicht lesbar</translation>
  </message>
  <message>
   <source>it cannot be read ({0})</source>
   <translation>sie ist nicht lesbar ({0})</translation>
  </message>
  <message>
   <source>it cannot be written ({0})</source>
   <translation>Schreiben ist nicht möglich ({0})</translation>
  </message>
  <message>
   <source>it claims {0}×{1} pixels but has only {2} bytes: next to nothing is in it</source>
   <translation>sie gibt {0}×{1} Pixel an, hat aber nur {2} Byte: Es ist so gut wie nichts darin</translation>
  </message>
  <message>
   <source>it claims {0}×{1} pixels, which {2} bytes cannot hold</source>
   <translation>sie gibt {0}×{1} Pixel an, die nicht in {2} Byte passen</translation>
  </message>
  <message>
   <source>it does not answer</source>
   <translation>von dort kommt keine Antwort</translation>
  </message>
  <message>
   <source>it fits both “{0}” and “{1}”</source>
   <translation>passt sowohl zu „{0}“ als auch zu „{1}“</translation>
  </message>
  <message>
   <source>it has no letters or digits</source>
   <translation>er hat weder Buchstaben noch Ziffern</translation>
  </message>
  <message>
   <source>it has {0:.1f} GB, more than a pack ever has</source>
   <translation>sie hat {0:.1f} GB, mehr als ein Modellpaket je hat</translation>
  </message>
  <message>
   <source>it has {0} channels; a picture has 1, 3 or 4</source>
   <translation>sie hat {0} Kanäle; ein Bild hat 1, 3 oder 4</translation>
  </message>
  <message>
   <source>it holds a batch of one pair</source>
   <translation>er enthält einen Stapel mit einem Paar</translation>
  </message>
  <message>
   <source>it holds a batch of which 1 of {0} pairs is done</source>
   <translation>er enthält einen Stapel, in dem 1 von {0} Paaren fertig ist</translation>
  </message>
  <message>
   <source>it holds a batch of which {0} of {1} pairs are done</source>
   <translation>er enthält einen Stapel, in dem {0} von {1} Paaren fertig sind</translation>
  </message>
  <message>
   <source>it holds no picture</source>
   <translation>sie enthält kein Bild</translation>
  </message>
  <message>
   <source>it holds no run that can be gone on with ({0})</source>
   <translation>darin ist kein Lauf, der sich fortsetzen lässt ({0})</translation>
  </message>
  <message>
   <source>it holds pictures of {0}×{1} and {2}×{3} pixels, and its marks call the larger one a thumbnail</source>
   <translation>sie enthält Bilder von {0}×{1} und {2}×{3} Pixeln und bezeichnet das größere als Vorschaubild</translation>
  </message>
  <message>
   <source>it holds {0} pages of different sizes ({1}), and no mark tells which is the picture</source>
   <translation>sie enthält {0} Seiten verschiedener Größe ({1}), und nichts sagt, welche das Bild ist</translation>
  </message>
  <message>
   <source>it holds {0} {1}, and only one picture can be fused</source>
   <translation>sie enthält {0} {1}; fusioniert werden kann nur ein einzelnes Bild</translation>
  </message>
  <message>
   <source>it is a Python pickle, which can run any program when it is opened; it was not opened</source>
   <translation>sie ist ein Python-Pickle, der beim Öffnen beliebige Programme ausführen kann; sie wurde nicht geöffnet</translation>
  </message>
  <message>
   <source>it is a device, not a file</source>
   <translation>es ist ein Gerät, keine Datei</translation>
  </message>
  <message>
   <source>it is a file</source>
   <translation>es ist eine Datei</translation>
  </message>
  <message>
   <source>it is a file of the kind {0}, not a picture this program can read yet</source>
   <translation>es ist eine Datei der Art {0} und kein Bild, das dieses Programm schon lesen kann</translation>
  </message>
  <message>
   <source>it is a folder</source>
   <translation>es ist ein Ordner</translation>
  </message>
  <message>
   <source>it is an input of this run</source>
   <translation>sie ist eine Eingabe dieses Laufs</translation>
  </message>
  <message>
   <source>it is another file than the one this program knows; perhaps a sign-in page of your network answered, or a mirror has another version</source>
   <translation>es ist eine andere Datei als die, die dieses Programm kennt; vielleicht antwortete eine Anmeldeseite Ihres Netzes, oder ein Spiegelserver hat eine andere Fassung</translation>
  </message>
  <message>
   <source>it is busy or out of order (answer {0})</source>
   <translation>dort ist Überlast oder eine Störung (Antwort {0})</translation>
  </message>
  <message>
   <source>it is coded in {0} scans; decoding them would take minutes</source>
   <translation>sie ist in {0} Durchläufen kodiert; sie zu lesen würde Minuten dauern</translation>
  </message>
  <message>
   <source>it is cut short</source>
   <translation>sie ist abgeschnitten</translation>
  </message>
  <message>
   <source>it is damaged ({0})</source>
   <translation>es ist beschädigt ({0})</translation>
  </message>
  <message>
   <source>it is damaged or holds more than plain weights</source>
   <translation>sie ist beschädigt oder enthält mehr als bloße Gewichte</translation>
  </message>
  <message>
   <source>it is empty</source>
   <translation>er ist leer</translation>
  </message>
  <message>
   <source>it is for the task “{0}”</source>
   <translation>es ist für die Aufgabe „{0}“</translation>
  </message>
  <message>
   <source>it is larger than a file may be here</source>
   <translation>sie ist größer, als eine Datei hier sein darf</translation>
  </message>
  <message>
   <source>it is no DINOv3 ViT-S/16</source>
   <translation>es ist kein DINOv3 ViT-S/16</translation>
  </message>
  <message>
   <source>it is no UniFusion pack (no manifest inside)</source>
   <translation>sie ist kein UniFusion-Modellpaket (ohne Manifest)</translation>
  </message>
  <message>
   <source>it is no folder of a training run</source>
   <translation>es ist kein Ordner eines Trainingslaufs</translation>
  </message>
  <message>
   <source>it is no picture this program can read</source>
   <translation>kein Bild, das dieses Programm lesen kann</translation>
  </message>
  <message>
   <source>it is not a picture this program can read</source>
   <translation>es ist kein Bild, das dieses Programm lesen kann</translation>
  </message>
  <message>
   <source>it is not a safetensors file</source>
   <translation>es ist keine safetensors-Datei</translation>
  </message>
  <message>
   <source>it is not there any more (answer {0})</source>
   <translation>sie ist dort nicht mehr vorhanden (Antwort {0})</translation>
  </message>
  <message>
   <source>it is not writable</source>
   <translation>Schreiben ist dort nicht erlaubt</translation>
  </message>
  <message>
   <source>it is not writable any more</source>
   <translation>er ist nicht mehr beschreibbar</translation>
  </message>
  <message>
   <source>it is of another network than the one to train</source>
   <translation>es gehört zu einem anderen Netz als dem zu trainierenden</translation>
  </message>
  <message>
   <source>it is one of the sources, which are never overwritten</source>
   <translation>es ist eine der Quellen; diese werden nie überschrieben</translation>
  </message>
  <message>
   <source>it is the pack itself</source>
   <translation>es ist das Modellpaket selbst</translation>
  </message>
  <message>
   <source>it is there already, as “{0}”</source>
   <translation>es ist schon da, als „{0}“</translation>
  </message>
  <message>
   <source>it is {0}×{1} pixels and the sources are {2}×{3}: it is not their result, or not as it was written</source>
   <translation>es hat {0}×{1} Pixel, die Quellen haben {2}×{3}: Es ist nicht ihr Ergebnis oder nicht mehr so, wie es geschrieben wurde</translation>
  </message>
  <message>
   <source>it is {0}×{1} pixels and they are {2}×{3}</source>
   <translation>es hat {0}×{1} Pixel und sie haben {2}×{3}</translation>
  </message>
  <message>
   <source>it leaves the output folder</source>
   <translation>er führt aus dem Zielordner hinaus</translation>
  </message>
  <message>
   <source>it may not be read</source>
   <translation>die Leseberechtigung fehlt</translation>
  </message>
  <message>
   <source>it needs the DINOv3 ViT-S/16 weights, which are not part of it</source>
   <translation>es braucht die DINOv3-ViT-S/16-Gewichte, die nicht dazugehören</translation>
  </message>
  <message>
   <source>it takes about {0} MB, and {1} MB are free</source>
   <translation>es braucht etwa {0} MB, frei sind {1} MB</translation>
  </message>
  <message>
   <source>it was asked for</source>
   <translation>so gewünscht</translation>
  </message>
  <message>
   <source>it was begun with another pack ({0} then, {1} now)</source>
   <translation>er begann mit einem anderen Modellpaket (damals {0}, jetzt {1})</translation>
  </message>
  <message>
   <source>it was begun with other settings ({0})</source>
   <translation>er begann mit anderen Einstellungen ({0})</translation>
  </message>
  <message>
   <source>it was removed while the batch was running</source>
   <translation>er wurde entfernt, während der Stapel lief</translation>
  </message>
  <message>
   <source>it was replaced by another folder while the batch was running</source>
   <translation>er wurde durch einen anderen Ordner ersetzt, während der Stapel lief</translation>
  </message>
  <message>
   <source>it was replaced while the batch was running</source>
   <translation>es wurde ersetzt, während der Stapel lief</translation>
  </message>
  <message>
   <source>it was trained for task {0}, not {1}</source>
   <translation>es wurde für die Aufgabe {0} trainiert, nicht für {1}</translation>
  </message>
  <message>
   <source>it was trained on a random DINOv3 backbone that was not kept</source>
   <translation>es wurde auf einem zufälligen DINOv3-Grundnetz trainiert, das nicht aufgehoben wurde</translation>
  </message>
  <message>
   <source>it was written and is not there any more</source>
   <translation>es wurde geschrieben und ist nicht mehr da</translation>
  </message>
  <message>
   <source>it was written by another version of the program</source>
   <translation>eine andere Fassung des Programms schrieb es</translation>
  </message>
  <message>
   <source>its address cannot be found: this computer seems to be offline</source>
   <translation>die Adresse ist nicht zu finden: Dieser Rechner scheint keine Verbindung zu haben</translation>
  </message>
  <message>
   <source>its certificate cannot be checked ({0})</source>
   <translation>das Zertifikat lässt sich nicht prüfen ({0})</translation>
  </message>
  <message>
   <source>its colour model ({0}) is not supported</source>
   <translation>das Farbmodell ({0}) wird nicht unterstützt</translation>
  </message>
  <message>
   <source>its colour policy “{0}” does not fit a network of {1} channels</source>
   <translation>die Farbregel „{0}“ passt nicht zu einem Netz mit {1} Kanälen</translation>
  </message>
  <message>
   <source>its content is not a TIFF picture</source>
   <translation>der Inhalt ist kein TIFF-Bild</translation>
  </message>
  <message>
   <source>its content is not a picture of the kind its name says</source>
   <translation>der Inhalt ist kein Bild der Art, die der Name sagt</translation>
  </message>
  <message>
   <source>its decoder crashed over it</source>
   <translation>der Decoder ist an ihr abgestürzt</translation>
  </message>
  <message>
   <source>its end is missing</source>
   <translation>das Ende fehlt</translation>
  </message>
  <message>
   <source>its files are missing from this installation</source>
   <translation>seine Dateien fehlen in dieser Installation</translation>
  </message>
  <message>
   <source>its format version is {0}, this program reads {1}</source>
   <translation>die Formatfassung ist {0}, dieses Programm liest {1}</translation>
  </message>
  <message>
   <source>its header cannot be understood</source>
   <translation>der Dateikopf ist unverständlich</translation>
  </message>
  <message>
   <source>its low end must be a number below its high end</source>
   <translation>sein unteres Ende muss eine Zahl unter dem oberen sein</translation>
  </message>
  <message>
   <source>its manifest is damaged ({0}: {1})</source>
   <translation>das Manifest ist beschädigt ({0}: {1})</translation>
  </message>
  <message>
   <source>its manifest is not JSON</source>
   <translation>das Manifest ist kein JSON</translation>
  </message>
  <message>
   <source>its manifest was changed after the pack was made: pictures would not come out as the ones it was trained for</source>
   <translation>das Manifest wurde nach dem Erstellen des Modellpakets geändert: Bilder kämen anders heraus als die, für die es trainiert wurde</translation>
  </message>
  <message>
   <source>its mask has another shape {0}</source>
   <translation>seine Maske hat eine andere Form {0}</translation>
  </message>
  <message>
   <source>its numbers are too large (over 10^38)</source>
   <translation>die Zahlen sind zu groß (über 10^38)</translation>
  </message>
  <message>
   <source>its one picture does not have the name of a pair in {1}</source>
   <translation>sein einziges Bild heißt nicht wie ein Paar in {1}</translation>
  </message>
  <message>
   <source>its pair was taken apart by hand</source>
   <translation>das Paar wurde von Hand getrennt</translation>
  </message>
  <message>
   <source>its result is gone: made again</source>
   <translation>das Ergebnis ist weg: wird neu erzeugt</translation>
  </message>
  <message>
   <source>its samples are of a kind that makes no picture ({0})</source>
   <translation>die Werte sind von einer Art, die kein Bild ergibt ({0})</translation>
  </message>
  <message>
   <source>its sha256 {0}… is not {1}…</source>
   <translation>der sha256 {0}… ist nicht {1}…</translation>
  </message>
  <message>
   <source>its sources may have changed since: fused again</source>
   <translation>die Quellen wurden seither vielleicht geändert: wird neu fusioniert</translation>
  </message>
  <message>
   <source>its suffix is not the format {0}</source>
   <translation>die Endung ist nicht die des Formats {0}</translation>
  </message>
  <message>
   <source>its task “{0}” is unknown</source>
   <translation>die Aufgabe „{0}“ ist unbekannt</translation>
  </message>
  <message>
   <source>its tensors do not fit: {0}</source>
   <translation>die Tensoren passen nicht: {0}</translation>
  </message>
  <message>
   <source>its weights are not those its manifest was written for</source>
   <translation>die Gewichte sind nicht die, für die das Manifest geschrieben wurde</translation>
  </message>
  <message>
   <source>its weights hold NaN or infinite numbers (in {0})</source>
   <translation>die Gewichte enthalten NaN oder unendliche Zahlen (in {0})</translation>
  </message>
  <message>
   <source>layered</source>
   <translation>geschichtet</translation>
  </message>
  <message>
   <source>learning rates {0:g}, {1:g}</source>
   <translation>Lernraten {0:g}, {1:g}</translation>
  </message>
  <message>
   <source>loading the model</source>
   <translation>Modell laden</translation>
  </message>
  <message>
   <source>looking at pairs</source>
   <translation>Paare prüfen</translation>
  </message>
  <message>
   <source>looking for pairs</source>
   <translation>Paare suchen</translation>
  </message>
  <message>
   <source>loss “{0}”</source>
   <translation>Verlust „{0}“</translation>
  </message>
  <message>
   <source>max</source>
   <translation>Maximum</translation>
  </message>
  <message>
   <source>mean</source>
   <translation>Mittel</translation>
  </message>
  <message>
   <source>memory ran out: tried again at the end, by itself and in tiles</source>
   <translation>der Speicher ging aus: am Ende noch einmal versucht, für sich allein und in Kacheln</translation>
  </message>
  <message>
   <source>method</source>
   <translation>Verfahren</translation>
  </message>
  <message>
   <source>metrics</source>
   <translation>Maße</translation>
  </message>
  <message>
   <source>misshapen</source>
   <translation>von falscher Form</translation>
  </message>
  <message>
   <source>missing</source>
   <translation>fehlend</translation>
  </message>
  <message>
   <source>must be a list</source>
   <translation>muss eine Liste sein</translation>
  </message>
  <message>
   <source>must be a multiple of {0}</source>
   <translation>muss ein Vielfaches von {0} sein</translation>
  </message>
  <message>
   <source>must be a number</source>
   <translation>muss eine Zahl sein</translation>
  </message>
  <message>
   <source>must be a table of settings</source>
   <translation>muss eine Tabelle mit Einstellungen sein</translation>
  </message>
  <message>
   <source>must be a text in quotes</source>
   <translation>muss ein Text in Anführungszeichen sein</translation>
  </message>
  <message>
   <source>must be a whole number</source>
   <translation>muss eine ganze Zahl sein</translation>
  </message>
  <message>
   <source>must be at least {0}</source>
   <translation>muss mindestens {0} sein</translation>
  </message>
  <message>
   <source>must be at most {0}</source>
   <translation>darf höchstens {0} sein</translation>
  </message>
  <message>
   <source>must be auto, cpu, cuda or cuda:N</source>
   <translation>muss auto, cpu, cuda oder cuda:N sein</translation>
  </message>
  <message>
   <source>must be less than {0}</source>
   <translation>muss kleiner als {0} sein</translation>
  </message>
  <message>
   <source>must be more than {0}</source>
   <translation>muss größer als {0} sein</translation>
  </message>
  <message>
   <source>must be one of {0}</source>
   <translation>muss eines davon sein: {0}</translation>
  </message>
  <message>
   <source>must be true or false</source>
   <translation>muss true oder false sein</translation>
  </message>
  <message>
   <source>must be two numbers, the lower one first</source>
   <translation>müssen zwei Zahlen sein, die kleinere zuerst</translation>
  </message>
  <message>
   <source>natural log</source>
   <translation>nat. Logarithmus</translation>
  </message>
  <message>
   <source>no</source>
   <translation>nein</translation>
  </message>
  <message>
   <source>no file of that name in {0}</source>
   <translation>keine Datei dieses Namens in {0}</translation>
  </message>
  <message>
   <source>no other name differs from it in just one telling word</source>
   <translation>kein anderer Name unterscheidet sich in nur einem aussagekräftigen Wort</translation>
  </message>
  <message>
   <source>no state had been saved yet</source>
   <translation>noch war kein Stand gespeichert</translation>
  </message>
  <message>
   <source>no state was saved yet</source>
   <translation>noch wurde kein Stand gespeichert</translation>
  </message>
  <message>
   <source>no two pictures in there belong together by name</source>
   <translation>keine zwei Bilder darin gehören dem Namen nach zusammen</translation>
  </message>
  <message>
   <source>no usable CUDA GPU or driver was found</source>
   <translation>keine verwendbare CUDA-GPU oder kein Treiber gefunden</translation>
  </message>
  <message>
   <source>no usable pair among them</source>
   <translation>darunter ist kein brauchbares Paar</translation>
  </message>
  <message>
   <source>no usable pair in it</source>
   <translation>darin ist kein brauchbares Paar</translation>
  </message>
  <message>
   <source>no usable pair in it: all are excluded</source>
   <translation>darin ist kein brauchbares Paar: alle sind ausgeschlossen</translation>
  </message>
  <message>
   <source>none</source>
   <translation>keine Angabe</translation>
  </message>
  <message>
   <source>none of its {0} pictures has the name of a pair in {1}</source>
   <translation>keines der {0} Bilder darin heißt wie ein Paar in {1}</translation>
  </message>
  <message>
   <source>not a {0} file: {1}</source>
   <translation>keine {0}-Datei: {1}</translation>
  </message>
  <message>
   <source>not all processes find the same checkpoint</source>
   <translation>nicht alle Prozesse finden denselben Zwischenstand</translation>
  </message>
  <message>
   <source>not one of its pixels holds data</source>
   <translation>kein einziges seiner Pixel enthält Daten</translation>
  </message>
  <message>
   <source>not one of its pixels holds data (all are NaN, infinite or marked as “no data”)</source>
   <translation>kein einziges seiner Pixel enthält Daten (alle sind NaN, unendlich oder als „keine Daten“ gekennzeichnet)</translation>
  </message>
  <message>
   <source>not one pair can be used</source>
   <translation>kein einziges Paar ist brauchbar</translation>
  </message>
  <message>
   <source>numbered: another result is called {0}</source>
   <translation>nummeriert: ein anderes Ergebnis heißt {0}</translation>
  </message>
  <message>
   <source>of another number type</source>
   <translation>von anderem Zahlentyp</translation>
  </message>
  <message>
   <source>of the start</source>
   <translation>des Anfangs</translation>
  </message>
  <message>
   <source>one of them ended, or could not be reached</source>
   <translation>einer davon endete oder war nicht erreichbar</translation>
  </message>
  <message>
   <source>one of {0} names that differ in one place: a row, not a pair</source>
   <translation>einer von {0} Namen, die sich an einer Stelle unterscheiden: eine Reihe, kein Paar</translation>
  </message>
  <message>
   <source>one picture has {0} channels and the other {1}</source>
   <translation>ein Bild hat {0} Kanäle und das andere {1}</translation>
  </message>
  <message>
   <source>packs for this task: {0}</source>
   <translation>Modellpakete für diese Aufgabe: {0}</translation>
  </message>
  <message>
   <source>pages</source>
   <translation>Seiten</translation>
  </message>
  <message>
   <source>paired by hand</source>
   <translation>von Hand gepaart</translation>
  </message>
  <message>
   <source>pairs</source>
   <translation>Paare</translation>
  </message>
  <message>
   <source>per step</source>
   <translation>je Schritt</translation>
  </message>
  <message>
   <source>picture</source>
   <translation>Bild</translation>
  </message>
  <message>
   <source>preparing</source>
   <translation>Vorbereiten</translation>
  </message>
  <message>
   <source>px</source>
   <translation>Pixel</translation>
  </message>
  <message>
   <source>reading and keeping them takes about {0} MB, and {1} MB are free</source>
   <translation>sie zu lesen und zu behalten braucht etwa {0} MB, frei sind {1} MB</translation>
  </message>
  <message>
   <source>reading pairs</source>
   <translation>Paare lesen</translation>
  </message>
  <message>
   <source>reading {0}×{1} pixels takes about {2} MB, and {3} MB are free</source>
   <translation>{0}×{1} Pixel zu lesen braucht etwa {2} MB, frei sind {3} MB</translation>
  </message>
  <message>
   <source>reconstructing</source>
   <translation>Rekonstruieren</translation>
  </message>
  <message>
   <source>reconstructions</source>
   <translation>Rekonstruktionen</translation>
  </message>
  <message>
   <source>resample</source>
   <translation>Umrechnen</translation>
  </message>
  <message>
   <source>run.json is damaged</source>
   <translation>run.json ist beschädigt</translation>
  </message>
  <message>
   <source>run.json is too large to be a record</source>
   <translation>run.json ist zu groß für einen Lauf</translation>
  </message>
  <message>
   <source>same name but for capitals in {0}</source>
   <translation>bis auf Großschreibung gleicher Name in {0}</translation>
  </message>
  <message>
   <source>same name but for {0}</source>
   <translation>gleicher Name bis auf {0}</translation>
  </message>
  <message>
   <source>same name in {0}</source>
   <translation>gleicher Name in {0}</translation>
  </message>
  <message>
   <source>settings are saved as .toml or .json</source>
   <translation>Einstellungen werden als .toml oder .json gespeichert</translation>
  </message>
  <message>
   <source>several files have its name: {0}</source>
   <translation>mehrere Dateien heißen so: {0}</translation>
  </message>
  <message>
   <source>several folders fit each other: {0}</source>
   <translation>mehrere Ordner passen zueinander: {0}</translation>
  </message>
  <message>
   <source>sha256 {0}… is not the {1}… this pack was made with</source>
   <translation>sha256 {0}… ist nicht der {1}…, mit dem dieses Modellpaket entstand</translation>
  </message>
  <message>
   <source>share</source>
   <translation>Anteil</translation>
  </message>
  <message>
   <source>sharper</source>
   <translation>schärfer</translation>
  </message>
  <message>
   <source>signed samples</source>
   <translation>Werte mit Vorzeichen</translation>
  </message>
  <message>
   <source>slices</source>
   <translation>Schichten</translation>
  </message>
  <message>
   <source>some of its scans are missing</source>
   <translation>einige ihrer Durchläufe fehlen</translation>
  </message>
  <message>
   <source>steps</source>
   <translation>Schritte</translation>
  </message>
  <message>
   <source>task</source>
   <translation>Aufgabe</translation>
  </message>
  <message>
   <source>template</source>
   <translation>Vorlage</translation>
  </message>
  <message>
   <source>the CPU was asked for</source>
   <translation>die CPU wurde gewünscht</translation>
  </message>
  <message>
   <source>the DINOv3 weights are not there</source>
   <translation>die DINOv3-Gewichte fehlen</translation>
  </message>
  <message>
   <source>the address is not protected (https), so anybody on the way could exchange the file</source>
   <translation>die Adresse ist nicht geschützt (https), jeder auf dem Weg könnte also die Datei austauschen</translation>
  </message>
  <message>
   <source>the character {0!r} is not allowed</source>
   <translation>das Zeichen {0!r} ist nicht erlaubt</translation>
  </message>
  <message>
   <source>the checkpoint cannot be read ({0})</source>
   <translation>der Zwischenstand ist nicht lesbar ({0})</translation>
  </message>
  <message>
   <source>the disk is full</source>
   <translation>das Laufwerk ist voll</translation>
  </message>
  <message>
   <source>the field “{0}” takes no format</source>
   <translation>das Feld „{0}“ nimmt keine Formatangabe</translation>
  </message>
  <message>
   <source>the file is damaged ({0})</source>
   <translation>die Datei ist beschädigt ({0})</translation>
  </message>
  <message>
   <source>the file is damaged or incomplete ({0})</source>
   <translation>die Datei ist beschädigt oder unvollständig ({0})</translation>
  </message>
  <message>
   <source>the file is empty</source>
   <translation>die Datei ist leer</translation>
  </message>
  <message>
   <source>the file name is too long</source>
   <translation>der Dateiname ist zu lang</translation>
  </message>
  <message>
   <source>the folder {0} does not exist</source>
   <translation>der Ordner {0} existiert nicht</translation>
  </message>
  <message>
   <source>the ground truth is {0}×{1} pixels and the result {2}×{3}</source>
   <translation>die Vorlage hat {0}×{1} Pixel und das Ergebnis {2}×{3}</translation>
  </message>
  <message>
   <source>the header is incomplete</source>
   <translation>der Dateikopf ist unvollständig</translation>
  </message>
  <message>
   <source>the header of a scan is incomplete</source>
   <translation>der Kopf eines Durchlaufs ist unvollständig</translation>
  </message>
  <message>
   <source>the last good state, of step {0}, is kept</source>
   <translation>der letzte gute Stand, von Schritt {0}, bleibt erhalten</translation>
  </message>
  <message>
   <source>the lower level must learn faster than the upper one</source>
   <translation>die untere Ebene muss schneller lernen als die obere</translation>
  </message>
  <message>
   <source>the lower level must learn faster than the upper one (η_L &gt; η_U)</source>
   <translation>die untere Ebene muss schneller lernen als die obere (η_L &gt; η_U)</translation>
  </message>
  <message>
   <source>the memory ran out</source>
   <translation>der Speicher ging aus</translation>
  </message>
  <message>
   <source>the memory ran out while timing a step</source>
   <translation>der Speicher ging beim Messen eines Schritts aus</translation>
  </message>
  <message>
   <source>the name “{0}” has {1} bytes; {2} are possible there: choose a shorter name template, such as {3}</source>
   <translation>der Name „{0}“ hat {1} Bytes; möglich sind dort {2}: eine kürzere Namensvorlage wählen, etwa {3}</translation>
  </message>
  <message>
   <source>the only two files given</source>
   <translation>die einzigen zwei angegebenen Dateien</translation>
  </message>
  <message>
   <source>the only two pictures here, named {0} and {1}</source>
   <translation>die einzigen zwei Bilder hier, benannt {0} und {1}</translation>
  </message>
  <message>
   <source>the pack to start from, “{0}”, is of another network</source>
   <translation>das Paket, mit dem begonnen werden soll, „{0}“, hat ein anderes Netz</translation>
  </message>
  <message>
   <source>the path of its result would have {0} bytes; {1} are possible there: choose an output folder nearer to the top, or a shorter name template</source>
   <translation>der Pfad des Ergebnisses hätte {0} Bytes; möglich sind dort {1}: einen Ausgabeordner weiter oben oder eine kürzere Namensvorlage wählen</translation>
  </message>
  <message>
   <source>the picture has no pixels</source>
   <translation>das Bild hat keine Pixel</translation>
  </message>
  <message>
   <source>the picture has no pixels ({0}×{1})</source>
   <translation>das Bild hat keine Pixel ({0}×{1})</translation>
  </message>
  <message>
   <source>the pictures are not those this run was started with</source>
   <translation>die Bilder sind nicht die, mit denen dieser Lauf begann</translation>
  </message>
  <message>
   <source>the process that decodes it cannot be started ({0})</source>
   <translation>der Prozess, der sie liest, lässt sich nicht starten ({0})</translation>
  </message>
  <message>
   <source>the program crashed while it worked on this pair; it is not tried again unasked</source>
   <translation>das Programm ist bei der Arbeit an diesem Paar abgestürzt; es wird nicht von selbst noch einmal versucht</translation>
  </message>
  <message>
   <source>the program was ended twice while it worked on this pair; it is not tried again unasked</source>
   <translation>das Programm wurde bei der Arbeit an diesem Paar zweimal beendet; es wird nicht von selbst noch einmal versucht</translation>
  </message>
  <message>
   <source>the program was ended while it worked on this pair: tried last and by itself</source>
   <translation>das Programm wurde bei der Arbeit an diesem Paar beendet: es wird zuletzt und für sich allein versucht</translation>
  </message>
  <message>
   <source>the proxy refuses it ({0})</source>
   <translation>der Proxy lehnt ab ({0})</translation>
  </message>
  <message>
   <source>the proxy wants a login (answer 407)</source>
   <translation>der Proxy verlangt eine Anmeldung (Antwort 407)</translation>
  </message>
  <message>
   <source>the result would replace a source; choose another folder or template</source>
   <translation>das Ergebnis würde eine Quelle ersetzen; einen anderen Ordner oder eine andere Vorlage wählen</translation>
  </message>
  <message>
   <source>the suffix “{0}” is not a picture format that can be written</source>
   <translation>die Endung „{0}“ ist kein Bildformat, das geschrieben werden kann</translation>
  </message>
  <message>
   <source>the system refused to give more</source>
   <translation>das System gibt keinen weiteren her</translation>
  </message>
  <message>
   <source>the thermal picture is paired with “{0}”, of another lens</source>
   <translation>das Wärmebild ist mit „{0}“ gepaart, von einem anderen Objektiv</translation>
  </message>
  <message>
   <source>the transfer broke off after {0} of {1} bytes</source>
   <translation>die Übertragung brach nach {0} von {1} Bytes ab</translation>
  </message>
  <message>
   <source>the window was closed first</source>
   <translation>das Fenster wurde vorher geschlossen</translation>
  </message>
  <message>
   <source>the window {0:.6g}…{1:.6g} lies outside its values, which are {2:.6g}…{3:.6g}</source>
   <translation>das Fenster {0:.6g}…{1:.6g} liegt außerhalb seiner Werte {2:.6g}…{3:.6g}</translation>
  </message>
  <message>
   <source>there are no fonts on this machine</source>
   <translation>auf diesem Rechner gibt es keine Schriften</translation>
  </message>
  <message>
   <source>there are no pictures in it</source>
   <translation>er enthält keine Bilder</translation>
  </message>
  <message>
   <source>there are none</source>
   <translation>es gibt keine</translation>
  </message>
  <message>
   <source>there is a file of that name</source>
   <translation>es gibt eine Datei dieses Namens</translation>
  </message>
  <message>
   <source>there is a folder in its way, or no permission</source>
   <translation>ein Ordner ist im Weg, oder die Berechtigung fehlt</translation>
  </message>
  <message>
   <source>there is a folder of that name; choose another template</source>
   <translation>es gibt einen Ordner dieses Namens; eine andere Vorlage wählen</translation>
  </message>
  <message>
   <source>there is no field “{0}”</source>
   <translation>ein Feld „{0}“ gibt es nicht</translation>
  </message>
  <message>
   <source>there is no file of that name with “{0}” in place of “{1}”</source>
   <translation>es gibt keine Datei dieses Namens mit „{0}“ statt „{1}“</translation>
  </message>
  <message>
   <source>there is no file of that name without “{0}”</source>
   <translation>es gibt keine Datei dieses Namens ohne „{0}“</translation>
  </message>
  <message>
   <source>there is no other exposure of the same name</source>
   <translation>es gibt keine andere Belichtung desselben Namens</translation>
  </message>
  <message>
   <source>there is no pixel where both hold data</source>
   <translation>es gibt kein Pixel, für das beide Daten enthalten</translation>
  </message>
  <message>
   <source>there is no such file</source>
   <translation>diese Datei gibt es nicht</translation>
  </message>
  <message>
   <source>there is no such file or folder</source>
   <translation>diese Datei oder diesen Ordner gibt es nicht</translation>
  </message>
  <message>
   <source>there is no such folder</source>
   <translation>diesen Ordner gibt es nicht</translation>
  </message>
  <message>
   <source>there is no such log</source>
   <translation>dieses Protokoll gibt es nicht</translation>
  </message>
  <message>
   <source>there is no such pack</source>
   <translation>dieses Modellpaket gibt es nicht</translation>
  </message>
  <message>
   <source>there is not enough memory</source>
   <translation>der Speicher reicht nicht</translation>
  </message>
  <message>
   <source>there is not enough memory to read it</source>
   <translation>der Speicher reicht nicht, um sie zu lesen</translation>
  </message>
  <message>
   <source>there must be at least one</source>
   <translation>es muss mindestens eines sein</translation>
  </message>
  <message>
   <source>thermal infrared with a visible-light picture</source>
   <translation>Wärmebild mit einem Bild im sichtbaren Licht</translation>
  </message>
  <message>
   <source>these are exposures of one scene, but not of two sources: {0}</source>
   <translation>das sind Belichtungen einer Szene, aber nicht zweier Quellen: {0}</translation>
  </message>
  <message>
   <source>these may be exposures of one scene or not: {0}</source>
   <translation>das können Belichtungen einer Szene sein oder auch nicht: {0}</translation>
  </message>
  <message>
   <source>they can be changed while the run is paused</source>
   <translation>sie lassen sich ändern, während der Lauf pausiert</translation>
  </message>
  <message>
   <source>they must be numbers above {0} and at most {1}</source>
   <translation>sie müssen Zahlen über {0} und höchstens {1} sein</translation>
  </message>
  <message>
   <source>they must rise from 0</source>
   <translation>sie müssen von 0 an steigen</translation>
  </message>
  <message>
   <source>this build of torch has no CUDA</source>
   <translation>dieses Torch ist ohne CUDA gebaut</translation>
  </message>
  <message>
   <source>this format holds {0} pixels a side at most; the picture has {1}×{2}</source>
   <translation>dieses Format fasst höchstens {0} Pixel je Seite; das Bild hat {1}×{2}</translation>
  </message>
  <message>
   <source>this machine has {0}</source>
   <translation>dieser Rechner hat {0}</translation>
  </message>
  <message>
   <source>this machine has {0} CUDA device</source>
   <translation>dieser Rechner hat {0} CUDA-Gerät</translation>
  </message>
  <message>
   <source>this machine has {0} CUDA devices</source>
   <translation>dieser Rechner hat {0} CUDA-Geräte</translation>
  </message>
  <message>
   <source>this run is going on already</source>
   <translation>dieser Lauf ist schon im Gang</translation>
  </message>
  <message>
   <source>this run was started with another DINOv3 file</source>
   <translation>dieser Lauf begann mit einer anderen DINOv3-Datei</translation>
  </message>
  <message>
   <source>this run was started with other settings ({0})</source>
   <translation>dieser Lauf begann mit anderen Einstellungen ({0})</translation>
  </message>
  <message>
   <source>timing steps</source>
   <translation>Schritte messen</translation>
  </message>
  <message>
   <source>timing validation</source>
   <translation>Prüfung messen</translation>
  </message>
  <message>
   <source>tokens</source>
   <translation>Tokens</translation>
  </message>
  <message>
   <source>unexpected shape {0}</source>
   <translation>unerwartete Form {0}</translation>
  </message>
  <message>
   <source>unknown</source>
   <translation>unbekannt</translation>
  </message>
  <message>
   <source>unknown task {0!r}; choose one of {1}</source>
   <translation>unbekannte Aufgabe {0!r}; möglich sind {1}</translation>
  </message>
  <message>
   <source>validating</source>
   <translation>Prüfen</translation>
  </message>
  <message>
   <source>weight “{0}”</source>
   <translation>Gewicht „{0}“</translation>
  </message>
  <message>
   <source>window of A</source>
   <translation>Fenster von A</translation>
  </message>
  <message>
   <source>window of B</source>
   <translation>Fenster von B</translation>
  </message>
  <message>
   <source>yes</source>
   <translation>ja</translation>
  </message>
  <message>
   <source>{0} MB are needed, {1} MB are free</source>
   <translation>{0} MB werden gebraucht, {1} MB sind frei</translation>
  </message>
  <message>
   <source>{0} and {1} name two persons; paired as asked.</source>
   <translation>{0} und {1} nennen zwei Personen; gepaart wie gewünscht.</translation>
  </message>
  <message>
   <source>{0} bits</source>
   <translation>{0} Bit</translation>
  </message>
  <message>
   <source>{0} carries no camera tags here; PNG and JPEG do.</source>
   <translation>{0} trägt hier keine Kameradaten; PNG und JPEG tun es.</translation>
  </message>
  <message>
   <source>{0} changed since: fused again</source>
   <translation>{0} wurde seither geändert: wird neu fusioniert</translation>
  </message>
  <message>
   <source>{0} channels</source>
   <translation>{0} Kanäle</translation>
  </message>
  <message>
   <source>{0} could be paired with each other or inside: give the two folders themselves</source>
   <translation>{0} könnten miteinander oder in sich gepaart werden: bitte die zwei Ordner selbst angeben</translation>
  </message>
  <message>
   <source>{0} crops of {1}×{1} do not fit {2}</source>
   <translation>{0} Ausschnitte von {1}×{1} passen nicht auf {2}</translation>
  </message>
  <message>
   <source>{0} devices</source>
   <translation>{0} Geräte</translation>
  </message>
  <message>
   <source>{0} devices on {1} nodes</source>
   <translation>{0} Geräte auf {1} Knoten</translation>
  </message>
  <message>
   <source>{0} does not say this node's place</source>
   <translation>{0} sagt nicht, der wievielte Knoten dieser ist</translation>
  </message>
  <message>
   <source>{0} file that is no picture was passed over.</source>
   <translation>{0} Datei, die kein Bild ist, wurde übergangen.</translation>
  </message>
  <message>
   <source>{0} files here are called “{1}”</source>
   <translation>{0} Dateien hier heißen „{1}“</translation>
  </message>
  <message>
   <source>{0} files that are no pictures were passed over.</source>
   <translation>{0} Dateien, die keine Bilder sind, wurden übergangen.</translation>
  </message>
  <message>
   <source>{0} group is on both sides: the figures will look better than they are. Take these pictures out of one of the two folders.</source>
   <translation>{0} Gruppe ist auf beiden Seiten: Die Kennzahlen werden besser aussehen, als sie sind. Bitte diese Bilder aus einem der zwei Ordner nehmen.</translation>
  </message>
  <message>
   <source>{0} groups are on both sides: the figures will look better than they are. Take their pictures out of one of the two folders.</source>
   <translation>{0} Gruppen sind auf beiden Seiten: Die Kennzahlen werden besser aussehen, als sie sind. Bitte ihre Bilder aus einem der zwei Ordner nehmen.</translation>
  </message>
  <message>
   <source>{0} has several files called “{1}”: {2}.</source>
   <translation>{0} enthält mehrere Dateien namens „{1}“: {2}.</translation>
  </message>
  <message>
   <source>{0} holds at most {1} bits</source>
   <translation>{0} fasst höchstens {1} Bit</translation>
  </message>
  <message>
   <source>{0} is no longer a number</source>
   <translation>{0} ist keine Zahl mehr</translation>
  </message>
  <message>
   <source>{0} is not a multiple of heads {1}</source>
   <translation>{0} ist kein Vielfaches der Köpfe {1}</translation>
  </message>
  <message>
   <source>{0} keeps {1} of {2} bits; TIFF keeps them all.</source>
   <translation>{0} behält {1} von {2} Bit; TIFF behält alle.</translation>
  </message>
  <message>
   <source>{0} lies beyond the last of {1} blocks</source>
   <translation>{0} liegt hinter dem letzten von {1} Blöcken</translation>
  </message>
  <message>
   <source>{0} lies inside another folder that was given and counts once.</source>
   <translation>{0} liegt in einem anderen angegebenen Ordner und zählt einmal.</translation>
  </message>
  <message>
   <source>{0} name two persons: they are not paired with each other.</source>
   <translation>{0} nennen zwei Personen: Sie werden nicht miteinander gepaart.</translation>
  </message>
  <message>
   <source>{0} nodes</source>
   <translation>{0} Knoten</translation>
  </message>
  <message>
   <source>{0} of {1} bytes are there</source>
   <translation>{0} von {1} Bytes sind da</translation>
  </message>
  <message>
   <source>{0} of {1} parts are there</source>
   <translation>{0} von {1} Teilen sind da</translation>
  </message>
  <message>
   <source>{0} of {1} values are there</source>
   <translation>{0} von {1} Werten sind da</translation>
  </message>
  <message>
   <source>{0} over heads {1} is no multiple of 4 (RoPE)</source>
   <translation>{0} geteilt durch die Köpfe {1} ist kein Vielfaches von 4 (RoPE)</translation>
  </message>
  <message>
   <source>{0} pair has pixels without data; they are filled from the other source.</source>
   <translation>{0} Paar hat Pixel ohne Daten; sie werden aus der anderen Quelle gefüllt.</translation>
  </message>
  <message>
   <source>{0} pairs have pixels without data; they are filled from the other source.</source>
   <translation>{0} Paare haben Pixel ohne Daten; sie werden aus der anderen Quelle gefüllt.</translation>
  </message>
  <message>
   <source>{0} patient is on both sides: the figures will look better than they are. Take these pictures out of one of the two folders.</source>
   <translation>{0} Patient ist auf beiden Seiten: Die Kennzahlen werden besser aussehen, als sie sind. Bitte diese Bilder aus einem der zwei Ordner nehmen.</translation>
  </message>
  <message>
   <source>{0} patients are on both sides: the figures will look better than they are. Take their pictures out of one of the two folders.</source>
   <translation>{0} Patienten sind auf beiden Seiten: Die Kennzahlen werden besser aussehen, als sie sind. Bitte ihre Bilder aus einem der zwei Ordner nehmen.</translation>
  </message>
  <message>
   <source>{0} picture is smaller than a crop of {1} pixels and is continued by mirroring.</source>
   <translation>{0} Bild ist kleiner als ein Ausschnitt von {1} Pixeln und wird durch Spiegeln fortgesetzt.</translation>
  </message>
  <message>
   <source>{0} pictures are smaller than a crop of {1} pixels and are continued by mirroring.</source>
   <translation>{0} Bilder sind kleiner als ein Ausschnitt von {1} Pixeln und werden durch Spiegeln fortgesetzt.</translation>
  </message>
  <message>
   <source>{0} pixel holds no data and is filled from the other source.</source>
   <translation>{0} Pixel enthält keine Daten und wird aus der anderen Quelle gefüllt.</translation>
  </message>
  <message>
   <source>{0} pixel holds no data in either source and is black.</source>
   <translation>{0} Pixel enthält in keiner der beiden Quellen Daten und ist schwarz.</translation>
  </message>
  <message>
   <source>{0} pixel holds {1:.6g}, far from all others, and does not count for what is black and white. If it means “no data”, say so in the file (tag GDAL_NODATA, or NaN).</source>
   <translation>{0} Pixel enthält {1:.6g}, weit entfernt von allen anderen, und zählt nicht für Schwarz und Weiß. Bedeutet es „keine Daten“, sollte die Datei es angeben (Tag GDAL_NODATA oder NaN).</translation>
  </message>
  <message>
   <source>{0} pixels hold no data and are filled from the other source.</source>
   <translation>{0} Pixel enthalten keine Daten und werden aus der anderen Quelle gefüllt.</translation>
  </message>
  <message>
   <source>{0} pixels hold no data in either source and are black.</source>
   <translation>{0} Pixel enthalten in keiner der beiden Quellen Daten und sind schwarz.</translation>
  </message>
  <message>
   <source>{0} pixels hold {1:.6g}, far from all others, and do not count for what is black and white. If it means “no data”, say so in the file (tag GDAL_NODATA, or NaN).</source>
   <translation>{0} Pixel enthalten {1:.6g}, weit entfernt von allen anderen, und zählen nicht für Schwarz und Weiß. Bedeutet es „keine Daten“, sollte die Datei es angeben (Tag GDAL_NODATA oder NaN).</translation>
  </message>
  <message>
   <source>{0} refuses the file</source>
   <translation>{0} verweigert die Datei</translation>
  </message>
  <message>
   <source>{0} samples</source>
   <translation>Werte der Art {0}</translation>
  </message>
  <message>
   <source>{0} was given twice and counts once.</source>
   <translation>{0} wurde zweimal angegeben und zählt einmal.</translation>
  </message>
  <message>
   <source>{0} was taken for “no data”: nothing else comes near it.</source>
   <translation>{0} wurde als „keine Daten“ verstanden: Nichts anderes kommt dem nahe.</translation>
  </message>
  <message>
   <source>{0} was {1}, now {2}</source>
   <translation>{0} war {1}, jetzt {2}</translation>
  </message>
  <message>
   <source>{0} were taken for two sources, though their names do not say so.</source>
   <translation>{0} wurden für zwei Quellen gehalten, obwohl ihre Namen das nicht sagen.</translation>
  </message>
  <message>
   <source>{0} workers</source>
   <translation>{0} Threads</translation>
  </message>
  <message>
   <source>{0} {1} (first: {2})</source>
   <translation>{0} {1} (erster: {2})</translation>
  </message>
  <message>
   <source>{0} {1}: resampled, B is stretched.</source>
   <translation>{0} {1}: Umgerechnet wird B verzerrt.</translation>
  </message>
  <message>
   <source>{0}, {1} steps</source>
   <translation>{0}, {1} Schritte</translation>
  </message>
  <message>
   <source>{0}-bit signed integers, which have no black and white of their own.</source>
   <translation>Ganze Zahlen mit Vorzeichen ({0} Bit), die kein eigenes Schwarz und Weiß haben.</translation>
  </message>
  <message>
   <source>{0}-bit unsigned integers, which have no black and white of their own.</source>
   <translation>Ganze Zahlen ohne Vorzeichen ({0} Bit), die kein eigenes Schwarz und Weiß haben.</translation>
  </message>
  <message>
   <source>{0}-bit values were reduced to 8 bits.</source>
   <translation>Werte mit {0} Bit wurden auf 8 Bit verkürzt.</translation>
  </message>
  <message>
   <source>{0}-bit values were stretched to 0…255.</source>
   <translation>Werte mit {0} Bit wurden auf 0…255 gespreizt.</translation>
  </message>
  <message>
   <source>{0}/ and {1}/</source>
   <translation>{0}/ und {1}/</translation>
  </message>
  <message>
   <source>{0}: files of the system, not sources: passed over.</source>
   <translation>{0}: Dateien des Systems, keine Quellen: übergangen.</translation>
  </message>
  <message>
   <source>{0}: give the two folders alone</source>
   <translation>{0}: bitte nur die zwei Ordner angeben</translation>
  </message>
  <message>
   <source>{0}: ground truth or labels, not sources: passed over.</source>
   <translation>{0}: Referenzbilder oder Annotationen, keine Quellen: übergangen.</translation>
  </message>
  <message>
   <source>{0}: none of {1}</source>
   <translation>{0}: nichts von {1}</translation>
  </message>
  <message>
   <source>{0}: results, not sources: passed over.</source>
   <translation>{0}: Ergebnisse, keine Quellen: übergangen.</translation>
  </message>
  <message>
   <source>{0}: the picture is stretched.</source>
   <translation>{0}: Das Bild wird verzerrt.</translation>
  </message>
  <message>
   <source>{0}: unexpected error ({1}: {2})</source>
   <translation>{0}: unerwarteter Fehler ({1}: {2})</translation>
  </message>
  <message>
   <source>{0}: {1} then, {2} now</source>
   <translation>{0}: damals {1}, jetzt {2}</translation>
  </message>
  <message>
   <source>{0}×{1} pixels are more than the limit of {2} million</source>
   <translation>{0}×{1} Pixel sind mehr als die Grenze von {2} Millionen</translation>
  </message>
  <message>
   <source>“{0}” fits it and others equally well</source>
   <translation>„{0}“ passt dazu und zu anderen gleich gut</translation>
  </message>
  <message>
   <source>“{0}” in its name says that it is a copy of another picture here</source>
   <translation>„{0}“ im Namen besagt, dass es die Kopie eines anderen Bildes hier ist</translation>
  </message>
  <message>
   <source>“{0}” in its name says that it is the truth, a label or a result, not a source</source>
   <translation>„{0}“ im Namen sagt, dass es Referenz, Annotation oder Ergebnis ist, keine Quelle</translation>
  </message>
  <message>
   <source>“{0}” names a single one</source>
   <translation>„{0}“ nennt ein einzelnes</translation>
  </message>
 </context>
 <context>
  <name>dialogs</name>
  <message>
   <source>All files</source>
   <translation>Alle Dateien</translation>
  </message>
  <message>
   <source>All files: told by their content</source>
   <translation>Alle Dateien: am Inhalt erkannt</translation>
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
  <name>finds</name>
  <message>
   <source>Classical method</source>
   <translation>Klassisches Verfahren</translation>
  </message>
  <message>
   <source>Model pack</source>
   <translation>Modellpaket</translation>
  </message>
  <message>
   <source>Opened before</source>
   <translation>Zuletzt geöffnet</translation>
  </message>
  <message>
   <source>Pair</source>
   <translation>Paar</translation>
  </message>
  <message>
   <source>Task</source>
   <translation>Aufgabe</translation>
  </message>
 </context>
 <context>
  <name>gestures</name>
  <message>
   <source>Change the window in the histogram</source>
   <translation>Fenster im Histogramm ändern</translation>
  </message>
  <message>
   <source>Click</source>
   <translation>Klick</translation>
  </message>
  <message>
   <source>Closer, farther</source>
   <translation>Näher, weiter weg</translation>
  </message>
  <message>
   <source>Double click</source>
   <translation>Doppelklick</translation>
  </message>
  <message>
   <source>Drag an end of it, or its middle</source>
   <translation>Ein Ende oder die Mitte ziehen</translation>
  </message>
  <message>
   <source>Drop files or folders on the window</source>
   <translation>Dateien oder Ordner im Fenster ablegen</translation>
  </message>
  <message>
   <source>Drop one file on its pane</source>
   <translation>Eine Datei auf ihrem Bild ablegen</translation>
  </message>
  <message>
   <source>Enlarge a feature channel</source>
   <translation>Merkmalskanal vergrößern</translation>
  </message>
  <message>
   <source>Fit</source>
   <translation>Einpassen</translation>
  </message>
  <message>
   <source>Left drag</source>
   <translation>Linke Maustaste ziehen</translation>
  </message>
  <message>
   <source>Left drag on its line</source>
   <translation>Linke Maustaste auf seiner Linie ziehen</translation>
  </message>
  <message>
   <source>Middle drag</source>
   <translation>Mittlere Maustaste ziehen</translation>
  </message>
  <message>
   <source>Move the curtain</source>
   <translation>Vorhang verschieben</translation>
  </message>
  <message>
   <source>Move the pictures</source>
   <translation>Bilder verschieben</translation>
  </message>
  <message>
   <source>Open a pair of the list</source>
   <translation>Paar der Liste öffnen</translation>
  </message>
  <message>
   <source>Open two pictures, or a list of pairs</source>
   <translation>Zwei Bilder oder eine Liste von Paaren öffnen</translation>
  </message>
  <message>
   <source>Replace A or B</source>
   <translation>A oder B ersetzen</translation>
  </message>
  <message>
   <source>Right drag</source>
   <translation>Rechte Maustaste ziehen</translation>
  </message>
  <message>
   <source>Shift + left drag</source>
   <translation>Umschalt + linke Maustaste ziehen</translation>
  </message>
  <message>
   <source>Wheel</source>
   <translation>Mausrad</translation>
  </message>
  <message>
   <source>Window (sideways) and level (up and down)</source>
   <translation>Fensterbreite (seitwärts) und -lage (auf und ab)</translation>
  </message>
  <message>
   <source>Zoom about the pointer</source>
   <translation>Um den Zeiger zoomen</translation>
  </message>
  <message>
   <source>arrow keys</source>
   <translation>Pfeiltasten</translation>
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
   <source>Notice</source>
   <translation>Hinweis</translation>
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
   <source>Read from</source>
   <translation>Gelesen aus</translation>
  </message>
  <message>
   <source>Reason</source>
   <translation>Grund</translation>
  </message>
  <message>
   <source>Research use only – AI-generated image</source>
   <translation>Nur für die Forschung – KI-erzeugtes Bild</translation>
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
   <source>Software</source>
   <translation>Programm</translation>
  </message>
  <message>
   <source>Source A</source>
   <translation>Quelle A</translation>
  </message>
  <message>
   <source>Source B</source>
   <translation>Quelle B</translation>
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
   <source>Weights (SHA-256)</source>
   <translation>Gewichte (SHA-256)</translation>
  </message>
  <message>
   <source>Window chosen</source>
   <translation>Gewähltes Fenster</translation>
  </message>
  <message>
   <source>Window of A</source>
   <translation>Fenster von A</translation>
  </message>
  <message>
   <source>Window of B</source>
   <translation>Fenster von B</translation>
  </message>
  <message>
   <source>being read</source>
   <translation>wird gelesen</translation>
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
   <source>not shown</source>
   <translation>nicht gezeigt</translation>
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
   <source>{0} bit</source>
   <translation>{0} Bit</translation>
  </message>
  <message>
   <source>Â, PSNR</source>
   <translation>Â, PSNR</translation>
  </message>
 </context>
 <context>
  <name>jobs</name>
  <message>
   <source>Drawing</source>
   <translation>Zeichnen</translation>
  </message>
  <message>
   <source>Looking for pairs</source>
   <translation>Paare werden gesucht</translation>
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
  <message>
   <source>This folder holds another batch</source>
   <translation>Dieser Ordner enthält einen anderen Stapel</translation>
  </message>
  <message>
   <source>Use its settings, begin anew, or choose another folder.</source>
   <translation>Seine Einstellungen nehmen, neu beginnen oder einen anderen Ordner wählen.</translation>
  </message>
 </context>
 <context>
  <name>pages</name>
  <message>
   <source>Comparing methods over whole folders is not in this version of the window yet. The figures of the pair on show are under Metrics in the Fuse workspace; for folders there is the command line:</source>
   <translation>Der Vergleich von Verfahren über ganze Ordner ist in dieser Fassung des Fensters noch nicht enthalten. Die Zahlen des gezeigten Paares stehen unter Maße im Arbeitsbereich Fusion; für Ordner gibt es die Befehlszeile:</translation>
  </message>
  <message>
   <source>Evaluate</source>
   <translation>Bewerten</translation>
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
 <context>
  <name>stored</name>
  <message>
   <source>Reading the result</source>
   <translation>Das Ergebnis wird gelesen</translation>
  </message>
  <message>
   <source>read from its file</source>
   <translation>aus seiner Datei gelesen</translation>
  </message>
 </context>
 <context>
  <name>training</name>
  <message>
   <source>Processor (CPU)</source>
   <translation>Prozessor (CPU)</translation>
  </message>
  <message>
   <source>edges</source>
   <translation>Kanten</translation>
  </message>
  <message>
   <source>gradient</source>
   <translation>Gradient</translation>
  </message>
  <message>
   <source>intensity</source>
   <translation>Helligkeit</translation>
  </message>
  <message>
   <source>lower (reconstruction)</source>
   <translation>unten (Rekonstruktion)</translation>
  </message>
  <message>
   <source>rate, lower</source>
   <translation>Rate, unten</translation>
  </message>
  <message>
   <source>rate, upper</source>
   <translation>Rate, oben</translation>
  </message>
  <message>
   <source>reconstruction (dB)</source>
   <translation>Rekonstruktion (dB)</translation>
  </message>
  <message>
   <source>score</source>
   <translation>Wertung</translation>
  </message>
  <message>
   <source>structure</source>
   <translation>Struktur</translation>
  </message>
  <message>
   <source>unknown time</source>
   <translation>unbekannte Zeit</translation>
  </message>
  <message>
   <source>upper (fusion)</source>
   <translation>oben (Fusion)</translation>
  </message>
  <message>
   <source>{0} GB</source>
   <translation>{0} GB</translation>
  </message>
  <message>
   <source>{0} MB</source>
   <translation>{0} MB</translation>
  </message>
  <message>
   <source>{0} days</source>
   <translation>{0} Tage</translation>
  </message>
  <message>
   <source>{0} h</source>
   <translation>{0} Std.</translation>
  </message>
  <message>
   <source>{0} min</source>
   <translation>{0} Min.</translation>
  </message>
  <message>
   <source>{0} s</source>
   <translation>{0} s</translation>
  </message>
  <message>
   <source>{0} s per step</source>
   <translation>{0} s je Schritt</translation>
  </message>
  <message>
   <source>{0} steps per second</source>
   <translation>{0} Schritte je Sekunde</translation>
  </message>
 </context>
</TS>
