using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Graphene.Runtime;

/// <summary>A checkpoint of a folder.</summary>
/// <param name="Step">How far the training was.</param>
/// <param name="FileName">The file's name in the folder.</param>
/// <param name="Digest">The SHA-256 of its content.</param>
public sealed record CheckpointEntry(long Step, string FileName, string Digest);

/// <summary>The list of the checkpoints in a folder, as a small JSON file.</summary>
/// <remarks>
/// Read as hostile: bounded in size, and a file name must be the one that belongs to its step, so that no entry leads out of the
/// folder.
/// </remarks>
internal static class CheckpointManifest
{
    /// <summary>The manifest's name.</summary>
    public const string FileName = "checkpoints.json";

    private const string Prefix = "checkpoint-";
    private const string Extension = ".safetensors";
    private const int MaxBytes = 4 << 20;
    private const int Format = 1;

    /// <summary>The name of the file for a step.</summary>
    public static string FileNameOf(long step) => $"{Prefix}{step.ToString(CultureInfo.InvariantCulture)}{Extension}";

    /// <summary>The step of a file's name; null for files that are no checkpoints of ours.</summary>
    public static long? StepOf(string fileName) =>
        fileName.StartsWith(Prefix, StringComparison.Ordinal) && fileName.EndsWith(Extension, StringComparison.Ordinal)
        && fileName.Length > Prefix.Length + Extension.Length
        && long.TryParse(
            fileName.AsSpan(Prefix.Length..^Extension.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long step)
        && FileNameOf(step) == fileName ? step : null;

    /// <summary>Reads a folder's manifest.</summary>
    /// <returns>The entries in the order of their steps; null when there is no manifest.</returns>
    /// <exception cref="GraphException">GR6302: it is no manifest.</exception>
    public static List<CheckpointEntry>? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        byte[] json;
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MaxBytes)
            {
                throw Damaged(path, $"{file.Length} bytes are more than a manifest has");
            }
            json = new byte[file.Length];
            file.ReadExactly(json);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        try
        {
            return Parse(json);
        }
        catch (Exception e) when (
            e is JsonException or InvalidOperationException or FormatException or InvalidDataException or KeyNotFoundException)
        {
            throw Damaged(path, e.Message);
        }
    }

    /// <summary>Writes a folder's manifest at once.</summary>
    public static void Write(string folder, IEnumerable<CheckpointEntry> entries)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("format", Format);
            writer.WriteStartArray("checkpoints");
            foreach (CheckpointEntry entry in entries)
            {
                writer.WriteStartObject();
                writer.WriteNumber("step", entry.Step);
                writer.WriteString("file", entry.FileName);
                writer.WriteString("sha256", entry.Digest);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        AtomicFile.Write(Path.Combine(folder, FileName), stream => stream.Write(json.WrittenSpan), FolderSync.Sync);
    }

    private static List<CheckpointEntry> Parse(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4 });
        if (document.RootElement.GetProperty("format").GetInt32() != Format)
        {
            throw new InvalidDataException("another version of Graphene wrote it");
        }
        var entries = new List<CheckpointEntry>();
        foreach (JsonElement element in document.RootElement.GetProperty("checkpoints").EnumerateArray())
        {
            long step = element.GetProperty("step").GetInt64();
            string file = element.GetProperty("file").GetString() ?? "";
            string digest = element.GetProperty("sha256").GetString() ?? "";
            if (StepOf(file) != step || digest.Length != SafetensorsHeader.DigestLength)
            {
                throw new InvalidDataException($"'{file}' is not the file of step {step} with its digest");
            }
            if (entries.Count > 0 && entries[^1].Step >= step)
            {
                throw new InvalidDataException($"step {step} stands behind step {entries[^1].Step}");
            }
            entries.Add(new CheckpointEntry(step, file, digest));
        }
        return entries;
    }

    private static GraphException Damaged(string path, string problem) => new(
        RuntimeDiagnostics.CheckpointDamaged, $"{path}: this is no list of checkpoints: {problem}", path,
        fix: "delete it: the list is then made anew from the checkpoints that are there");
}
