using System.IO.Compression;
using Graphene.Data;
using Graphene.Interop.Idx;
using Graphene.Interop.Numpy;
using Graphene.Runtime;
using Graphene.Tests.Support;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Training() =>
    [
        Of(NpyDiagnosticIds.NotNpz, () => InFile("weights.npz", "1.0, 2.0"u8.ToArray(), path => NpzFile.Open(path))),
        Of(NpyDiagnosticIds.InflatedTooLarge, () => InFile("weights.npz", Zipped("zeros.npy", 300 << 20), path => NpzFile.Open(path))),
        Of(IdxDiagnosticIds.CannotOpen, () => IdxFile.Read("no-such-images.idx3-ubyte.gz")),
        Of(IdxDiagnosticIds.Damaged, () =>
        {
            byte[] threeOfFour = [0, 0, 0x08, 1, 0, 0, 0, 4, 10, 20, 30];
            IdxFile.Read(new MemoryStream(threeOfFour), "labels.idx1-ubyte");
        }),
        Of(IdxDiagnosticIds.TooLarge, () =>
        {
            byte[] header = [0, 0, 0x08, 3, 255, 255, 255, 255, 0, 0, 0, 28, 0, 0, 0, 28];
            IdxFile.Read(new MemoryStream(header), "images.idx3-ubyte");
        }),
        Of(RuntimeDiagnostics.CheckpointAccess, () => SafetensorsFile.Open("no-such-checkpoint.safetensors")),
        Of(RuntimeDiagnostics.CheckpointDamaged, () =>
        {
            byte[] cutOff = [90, 0, 0, 0, 0, 0, 0, 0, .. "{\"w\":{\"dtype\":\"F32\",\"shape\":[2]"u8];
            InFile("model.safetensors", cutOff, path => SafetensorsFile.Open(path));
        }),
        Of(RuntimeDiagnostics.CheckpointMismatch, () =>
        {
            var graph = new Graph();
            graph.Variable(Literal.From<float>([1, 2], 2), "dense/kernel");
            graph.Variable(Literal.From<float>([0], 1), "dense/bias");
            using var session = new Session(graph, new ReferenceCompiler());
            InFile("model.safetensors", [], path =>
            {
                SafetensorsFile.Write(path, [new NamedTensor("dense/kernel", Literal.From<double>([1, 2], 2))]);
                new Saver(session).Restore(path);
            });
        }),
        Of(RuntimeDiagnostics.CheckpointTooLarge, () =>
        {
            byte[] headerOf64Mebibytes = [0, 0, 0, 4, 0, 0, 0, 0, .. new byte[64 << 20]];
            InFile("model.safetensors", headerOf64Mebibytes, path => SafetensorsFile.Open(path));
        }),
        Of(RuntimeDiagnostics.CheckpointInUse, () =>
        {
            using var folder = new TemporaryFolder();
            using var session = new Session(new Graph(), new ReferenceCompiler());
            using FileStream other = new(folder.Combine(".lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
            InFolder(folder, path => new CheckpointFolder(path).Save(new Saver(session), step: 100));
        }),
        Of(DataDiagnostics.BadPosition, () =>
        {
            Literal numbers = Literal.From<float>(new float[100], 100);
            using DatasetIterator before = Dataset.FromTensors(numbers).Shuffle(seed: 1).Iterate();
            using DatasetIterator after = Dataset.FromTensors(numbers).Shuffle(seed: 2).Iterate();
            after.RestorePosition(before.SavePosition());
        }),
        Of(DataDiagnostics.BadComponents, () =>
        {
            Literal images = Literal.From<byte>(new byte[100], 25, 2, 2);
            Literal labels = Literal.From<byte>(new byte[24], 24);
            Dataset.FromTensors(images, labels);
        }),
    ];

    // A file of some content in a folder of its own, whose name is left out of the error.
    private static void InFile(string name, byte[] content, Action<string> use)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.Combine(name), content);
        InFolder(folder, path => use(Path.Combine(path, name)));
    }

    private static void InFolder(TemporaryFolder folder, Action<string> use)
    {
        try
        {
            use(folder.Path);
        }
        catch (GraphException e)
        {
            string Shorten(string? text) => text?.Replace(folder.Path + "/", "", StringComparison.Ordinal)
                .Replace(folder.Path, "checkpoints", StringComparison.Ordinal)!;
            throw new GraphException(e.Id, Shorten(e.What), null, Shorten(e.Why), e.Fix, e);
        }
    }

    private static byte[] Zipped(string name, int zeros)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            using Stream entry = archive.CreateEntry(name, CompressionLevel.Fastest).Open();
            byte[] some = new byte[1 << 20];
            for (int written = 0; written < zeros; written += some.Length)
            {
                entry.Write(some);
            }
        }
        return stream.ToArray();
    }
}
