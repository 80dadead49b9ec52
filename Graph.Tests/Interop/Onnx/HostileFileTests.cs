using System.Diagnostics;
using Google.Protobuf;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Interop.Onnx;

/// <summary>Files that are not models, or no longer: each gives one readable error, quickly.</summary>
[TestFixture]
public sealed class HostileFileTests : FolderFixture
{
    private const int PatienceMilliseconds = 20_000;

    private static IEnumerable<TestCaseData> Files() =>
        All().Select(c => new TestCaseData(c.Id, c.Make).SetArgDisplayNames(c.Name));

    /// <summary>Each file by name, with the error it gives; made in a folder, whose path or the file's it returns.</summary>
    internal static IEnumerable<(string Name, string Id, Func<string, string> Make)> All()
    {
        yield return Case("a missing file", "GR4001", folder => Path.Join(folder, "nothing.onnx"));
        yield return Case("a folder", "GR4001", folder => folder);
        yield return Case("an empty file", "GR4001", folder => Write(folder, []));
        yield return Case("a name that no file can have", "GR4001", _ => "a\0b.onnx");
        yield return Case("a zip archive", "GR4002", folder => Write(folder, [.. "PK\u0003\u0004"u8, .. new byte[100]]));
        yield return Case("a gzip stream", "GR4002", folder => Write(folder, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]));
        yield return Case("a Git LFS pointer", "GR4002", folder => Write(folder, "version https://git-lfs.github.com/spec/v1\n"u8));
        yield return Case("a text file", "GR4002", folder => Write(folder, "import torch\n\nclass Net(torch.nn.Module):\n"u8));
        yield return Case("an HTML page", "GR4002", folder => Write(folder, "<!DOCTYPE html><html><body>404</body></html>"u8));
        yield return Case("a program", "GR4002", folder => Write(folder, [.. "\u007fELF"u8, 2, 1, 1, 0, 0, 0]));
        yield return Case("a TensorFlow Lite model", "GR4002", folder => Write(folder, [28, 0, 0, 0, .. "TFL3"u8, 0, 0]));
        yield return Case("an HDF5 file", "GR4002", folder => Write(folder, [0x89, .. "HDF\r\n\u001a\n"u8, 0, 0, 0]));
        yield return Case("a NumPy array", "GR4002", folder => Write(folder, [0x93, .. "NUMPY"u8, 1, 0]));
        yield return Case("random bytes", "GR4003", folder => Write(folder, RandomBytes(10_000)));
        yield return Case("zeros", "GR4003", folder => Write(folder, new byte[4096]));
        yield return Case("bytes of 0xff", "GR4003", folder => Write(folder, [.. Enumerable.Repeat((byte)0xff, 4096)]));
        yield return Case("a number longer than 64 bits", "GR4003", folder =>
            Write(folder, [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]));
        yield return Case("a length of 2^63", "GR4003", folder =>
            Write(folder, [0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0]));
        yield return Case("a length that ends one byte late", "GR4003", folder => Write(folder, [8, 8, 0x3a, 2, 10]));
        yield return Case("field number 0", "GR4003", folder => Write(folder, [0, 1, 8, 8]));
        yield return Case("a group, which ONNX never had", "GR4003", folder => Write(folder, [8, 8, 0x0b, 0x0c]));
        yield return Case("a model without graph", "GR4002", folder => new ModelProto { IrVersion = 8 }.Save(folder));
        yield return Case("no IR version", "GR4005", folder => WithIrVersion(0).Save(folder));
        yield return Case("a negative IR version", "GR4005", folder => WithIrVersion(-1).Save(folder));
        yield return Case("an IR version from the future", "GR4005", folder => WithIrVersion(999).Save(folder));
        yield return Case("no operator set", "GR4005", folder =>
        {
            ModelProto model = XToY(Node("Relu", ["x"], ["y"]));
            model.OpsetImport.Clear();
            return model.Save(folder);
        });
        yield return Case("subgraphs nested 10,000 deep", "GR4004", folder => Write(folder, NestedGraphs(10_000)));
        yield return Case("sequence types nested 10,000 deep", "GR4004", folder => Write(folder, NestedTypes(10_000)));
        yield return Case("five million empty nodes", "GR4004", folder => Write(folder, EmptyNodes(5_000_000)));
    }

    [TestCaseSource(nameof(Files))]
    public void IsRefused(string id, Func<string, string> make)
    {
        string path = make(Folder.Path);
        var watch = Stopwatch.StartNew();
        GraphException error = Assert.Throws<GraphException>(() => OnnxModelFile.Load(path).Dispose())!;
        Assert.That(error.Id.Code, Is.EqualTo(id), error.Message);
        Assert.That(error.Where, Is.EqualTo(path));
        Assert.That(error.Why, Is.Not.Null.And.Not.Empty);
        Assert.That(error.Fix, Is.Not.Null.And.Not.Empty);
        Assert.That(watch.ElapsedMilliseconds, Is.LessThan(PatienceMilliseconds));
    }

    [Test]
    public void EveryTruncationOfAModelIsRefusedOrIncomplete()
    {
        ModelProto model = XToY(Node("Add", ["x", "w"], ["y"]));
        model.Graph.Initializer.Add(Floats("w", [2, 3], 1, 2, 3, 4, 5, 6));
        byte[] whole = model.ToByteArray();
        for (int length = 1; length < whole.Length; length++)
        {
            string path = Write(Folder.Path, whole.AsSpan(0, length));
            try
            {
                // A cut between two fields of the model leaves a smaller model, whose operator sets are missing.
                using OnnxModelFile file = OnnxModelFile.Load(path);
                Assert.Fail($"the first {length} of {whole.Length} bytes were accepted");
            }
            catch (GraphException e)
            {
                Assert.That(e.Id.Code, Is.AnyOf("GR4002", "GR4003", "GR4005"), e.Message);
            }
        }
    }

    [Test]
    public void EveryFlippedByteIsRefusedOrHarmless()
    {
        ModelProto model = XToY(Node("Add", ["x", "w"], ["y"]));
        model.Graph.Initializer.Add(Floats("w", [2, 3], 1, 2, 3, 4, 5, 6));
        byte[] bytes = model.ToByteArray();
        foreach (byte flip in (byte[])[0x01, 0x80, 0xff])
        {
            for (int at = 0; at < bytes.Length; at++)
            {
                bytes[at] ^= flip;
                try
                {
                    OnnxModelFile.Load(bytes, "flipped").Dispose();
                }
                catch (GraphException e)
                {
                    Assert.That(e.Message, Does.Contain("flipped"));
                }
                bytes[at] ^= flip;
            }
        }
    }

    [Test]
    public void APipeIsRefusedWithoutWaitingForAWriter()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("named pipes are not files on Windows");
        }
        string path = Path.Join(Folder.Path, "pipe.onnx");
        using (Process? make = Process.Start("mkfifo", path))
        {
            make!.WaitForExit();
        }
        Assert.That(
            () => OnnxModelFile.Load(path),
            Throws.TypeOf<GraphException>().With.Message.Contains("not a regular file"));
    }

    [Test]
    public void ADeviceIsRefused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("there is no /dev/zero on Windows");
        }
        Assert.That(
            () => OnnxModelFile.Load("/dev/zero"), Throws.TypeOf<GraphException>().With.Message.Contains("not a regular file"));
    }

    [Test]
    public void TheFileLimitIsKept()
    {
        string path = XToY(Node("Relu", ["x"], ["y"])).Save(Folder.Path);
        GraphException error = Assert.Throws<GraphException>(
            () => OnnxModelFile.Load(path, new OnnxLoadOptions { MaxFileBytes = 10 }))!;
        Assert.That(error.Id, Is.EqualTo(OnnxDiagnosticIds.TooLarge));
    }

    [Test]
    public void AnUnknownFieldIsSkipped()
    {
        // Field 1000, wire type 2, three bytes: what a later version may add.
        byte[] bytes = [.. XToY(Node("Relu", ["x"], ["y"])).ToByteArray(), 0xc2, 0x3e, 3, 1, 2, 3];
        using OnnxModelFile file = OnnxModelFile.Load(bytes, "memory");
        Assert.That(file.OperatorSets[""], Is.EqualTo(17));
    }

    private static (string Name, string Id, Func<string, string> Make) Case(string name, string id, Func<string, string> make) =>
        (name, id, make);

    private static string Write(string folder, ReadOnlySpan<byte> bytes)
    {
        string path = Path.Join(folder, "model.onnx");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private static ModelProto WithIrVersion(long version)
    {
        ModelProto model = XToY(Node("Relu", ["x"], ["y"]));
        model.IrVersion = version;
        return model;
    }

    // A generated message of this depth could not be serialized either.
    private static byte[] NestedGraphs(int depth) => Nested(
        [AttributeProto.GFieldNumber, NodeProto.AttributeFieldNumber, GraphProto.NodeFieldNumber], depth,
        [ModelProto.GraphFieldNumber]);

    private static byte[] NestedTypes(int depth) => Nested(
        [TypeProto.Types.Sequence.ElemTypeFieldNumber, TypeProto.SequenceTypeFieldNumber], depth,
        [ValueInfoProto.TypeFieldNumber, GraphProto.InputFieldNumber, ModelProto.GraphFieldNumber]);

    // Written from the inside out, so back to front: each field's header in front of all that it contains.
    private static byte[] Nested(int[] fields, int depth, int[] around)
    {
        var reversed = new List<byte>();
        for (int i = 0; i < depth; i++)
        {
            Array.ForEach(fields, Enclose);
        }
        Array.ForEach(around, Enclose);
        reversed.AddRange([8, 8]);
        reversed.Reverse();
        return [.. reversed];

        void Enclose(int field)
        {
            byte[] header = Field(field, [], reversed.Count);
            Array.Reverse(header);
            reversed.AddRange(header);
        }
    }

    private static byte[] EmptyNodes(int count)
    {
        var nodes = new byte[2 * count];
        for (int i = 0; i < count; i++)
        {
            nodes[2 * i] = (GraphProto.NodeFieldNumber << 3) | 2;
        }
        return [8, 8, .. Field(ModelProto.GraphFieldNumber, nodes)];
    }

    private static byte[] Field(int number, byte[] content, int? length = null)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(number, WireFormat.WireType.LengthDelimited);
            output.WriteLength(length ?? content.Length);
        }
        stream.Write(content);
        return stream.ToArray();
    }
}
