using System.Diagnostics;
using Google.Protobuf;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Interop.Onnx;

/// <summary>Models whose graphs make no sense, or ask for too much: each gives one readable error, quickly.</summary>
[TestFixture]
public sealed class ImporterRefusalTests : FolderFixture
{
    private const int PatienceMilliseconds = 20_000;

    private static IEnumerable<TestCaseData> Graphs() =>
        AllGraphs().Select(c => new TestCaseData(c.Id, c.Words, c.Model).SetArgDisplayNames(c.Name));

    /// <summary>Each model by name, with the error it gives and words of its message.</summary>
    internal static IEnumerable<(string Name, string Id, string Words, ModelProto Model)> AllGraphs()
    {
        yield return Case("two nodes that use each other", "GR4008", "cycle", XToY(
            Node("Add", ["x", "b"], ["a"]), Node("Relu", ["a"], ["b"]), Node("Add", ["a", "b"], ["y"])));
        yield return Case("a node that uses itself", "GR4008", "cycle", XToY(Node("Add", ["x", "y"], ["y"])));
        yield return Case("a cycle of 10,000 nodes", "GR4008", "cycle", XToY(
            [
                .. Enumerable.Range(0, 10_000).Select(i => Node("Relu", [$"n{(i + 1) % 10_000}"], [$"n{i}"])),
                Node("Add", ["x", "n0"], ["y"]),
            ]));
        yield return Case("an input that nothing produces", "GR4008", "'nobody'", XToY(Node("Add", ["x", "nobody"], ["y"])));
        yield return Case("an output that nothing produces", "GR4008", "'y'", XToY(Node("Relu", ["x"], ["z"])));
        yield return Case("a value defined twice", "GR4008", "twice", XToY(Node("Relu", ["x"], ["y"]), Node("Abs", ["x"], ["y"])));
        yield return Case(
            "a node that overwrites an input", "GR4008", "twice",
            XToY(Node("Relu", ["x"], ["x"]), Node("Relu", ["x"], ["y"])));
        yield return Case("a stored tensor stored twice", "GR4008", "twice", With(XToY(Node("Add", ["x", "w"], ["y"])), m =>
        {
            m.Graph.Initializer.Add(Floats("w", [3], 1, 2, 3));
            m.Graph.Initializer.Add(Floats("w", [3], 4, 5, 6));
        }));
        yield return Case("an unknown operator", "GR4009", "Frobnicate: 2x (Frobnicate_a, Frobnicate_y)", XToY(
            Node("Frobnicate", ["x"], ["a"]), Node("Frobnicate", ["a"], ["y"])));
        yield return Case("an operator of a foreign domain", "GR4009", "com.example.Relu", XToY(
            With(Node("Relu", ["x"], ["y"]), n => n.Domain = "com.example")));
        yield return Case(
            "an operator younger than its operator set", "GR4009", "Gelu (as of version 17)",
            XToY(Node("Gelu", ["x"], ["y"])));
        yield return Case("an operator set from the future", "GR4005", "999", With(XToY(Node("Relu", ["x"], ["y"])), m =>
            m.OpsetImport[0].Version = 999));
        yield return Case("operator set 0", "GR4005", "0", With(XToY(Node("Relu", ["x"], ["y"])), m => m.OpsetImport[0].Version = 0));
        yield return Case("an output declared with another type", "GR4008", "declared", Model(Graph(
            [Tensor("x", 2, 3)], [Tensor("y", OnnxDataType.Int64, 2, 3)], Node("Relu", ["x"], ["y"]))));
        yield return Case("operands of different types", "GR4010", "same element type", Model(Graph(
            [Tensor("x", 3), Tensor("i", OnnxDataType.Int64, 3)], [Tensor("y", 3)], Node("Add", ["x", "i"], ["y"]))));
        yield return Case("shapes that do not broadcast", "GR4010", "cannot combine", Model(Graph(
            [Tensor("a", 3), Tensor("b", 4)], [Tensor("y", 4)], Node("Add", ["a", "b"], ["y"]))));
        yield return Case("an attribute of the wrong kind", "GR4010", "kind", XToY(Node("Softmax", ["x"], ["y"], IntList("axis", 1))));
        yield return Case("a missing attribute", "GR4010", "'to'", XToY(Node("Cast", ["x"], ["y"])));
        yield return Case("an axis out of range", "GR4010", "axis", XToY(Node("Softmax", ["x"], ["y"], Int("axis", 7))));
        yield return Case("an axis of -2^63", "GR4010", "axis", XToY(Node("Softmax", ["x"], ["y"], Int("axis", long.MinValue))));
        yield return Case("too few inputs", "GR4010", "no input", XToY(Node("Add", ["x"], ["y"])));
        yield return Case("too many outputs", "GR4010", "no output", XToY(Node("Relu", ["x"], ["y", "z"]), Node("Relu", ["z"], ["q"])));
        yield return Case("a negative dimension", "GR4013", "-5", Model(Graph(
            [Tensor("x", OnnxDataType.Float, -5)], [Tensor("y", 1)], Node("Relu", ["x"], ["y"]))));
        yield return Case("a dimension of 2^62", "GR4013", "4611686018427387904", Model(Graph(
            [Tensor("x", 1L << 62, 4)], [Tensor("y", 1)], Node("Relu", ["x"], ["y"]))));
        yield return Case("a text input", "GR4011", "string", Model(Graph(
            [Tensor("x", OnnxDataType.String, 1)], [Tensor("y", 1)], Node("Identity", ["x"], ["y"]))));
        yield return Case("an unknown element type", "GR4011", "type 77", Model(Graph(
            [Tensor("x", (OnnxDataType)77, 1)], [Tensor("y", 1)], Node("Identity", ["x"], ["y"]))));
        yield return Case("an input without type", "GR4011", "without type", Model(Graph(
            [new ValueInfoProto { Name = "x" }], [Tensor("y", 1)], Node("Relu", ["x"], ["y"]))));
        yield return Case("an input without shape", "GR4011", "no shape", Model(Graph(
            [With(Tensor("x", 1), v => v.Type.TensorType.Shape = null)], [Tensor("y", 1)], Node("Relu", ["x"], ["y"]))));
        yield return Case("a reshape to 2^62 x 2^62", "GR1011", "64 bits", With(XToY(Node("Reshape", ["x", "s"], ["y"])), m =>
            m.Graph.Initializer.Add(Ints("s", 1L << 62, 1L << 62))));
        yield return Case("a reshape to another number of elements", "GR1204", "elements", With(
            XToY(Node("Reshape", ["x", "s"], ["y"])), m => m.Graph.Initializer.Add(Ints("s", 7))));
        yield return Case("a slice with step 0", "GR4010", "step", XToY(Node("Slice", ["x", "n", "n", "n", "z"], ["y"])), m =>
        {
            m.Graph.Initializer.Add(Ints("n", 0));
            m.Graph.Initializer.Add(Ints("z", 0));
        });
        yield return Case("stored data that is too short", "GR4006", "'w'", With(XToY(Node("Add", ["x", "w"], ["y"])), m =>
            m.Graph.Initializer.Add(With(Floats("w", [3], 1, 2, 3), t => t.Dims[0] = 4))));
        yield return Case("a shape that is an input", "GR4014", "'s'", Model(Graph(
            [Tensor("x", 2, 3), Tensor("s", OnnxDataType.Int64, 2)], [Tensor("y", 3, 2)], Node("Reshape", ["x", "s"], ["y"]))));
        yield return Case("a function that calls itself", "GR4008", "calls itself", WithFunction("F", Node("F", ["a"], ["b"])));
        yield return Case("a tree that runs in a circle", "GR4010", "circle", CircularTree());
    }

    [TestCaseSource(nameof(Graphs))]
    public void IsRefused(string id, string words, object model)
    {
        string path = ((ModelProto)model).Save(Folder.Path);
        var watch = Stopwatch.StartNew();
        GraphException error = Assert.Throws<GraphException>(() => OnnxImporter.Import(path))!;
        Assert.That(error.Id.Code, Is.EqualTo(id), error.Message);
        Assert.That(error.Message, Does.Contain(words));
        Assert.That(error.Where, Is.Not.Null.And.Not.Empty);
        Assert.That(watch.ElapsedMilliseconds, Is.LessThan(PatienceMilliseconds));
    }

    [Test]
    public void FunctionsThatDoubleTheirCallsAreBounded()
    {
        using OnnxModelFile file = OnnxModelFile.Load(DoublingFunctions(40).ToByteArray(), "memory");
        GraphException error = Assert.Throws<GraphException>(
            () => OnnxImporter.Import(file, new OnnxImportOptions { MaxNodes = 10_000 }))!;
        Assert.That(error.Id, Is.EqualTo(OnnxDiagnosticIds.TooLarge));
    }

    internal static IEnumerable<TestCaseData> Locations()
    {
        yield return new TestCaseData("missing.bin", null, null, "does not exist");
        yield return new TestCaseData("../outside.bin", null, null, "outside");
        yield return new TestCaseData("sub/../../outside.bin", null, null, "outside");
        yield return new TestCaseData("..\\outside.bin", null, null, "outside");
        yield return new TestCaseData("/etc/passwd", null, null, "outside");
        yield return new TestCaseData("C:\\data.bin", null, null, "outside");
        yield return new TestCaseData("", null, null, "outside");
        yield return new TestCaseData("da\0ta.bin", null, null, "outside");
        yield return new TestCaseData("data.bin", 8L, null, "ends after the file");
        yield return new TestCaseData("data.bin", long.MaxValue, null, "ends after the file");
        yield return new TestCaseData("data.bin", 0L, 12L, "ask for 16");
        yield return new TestCaseData("data.bin", -4L, null, "not negative");
        yield return new TestCaseData("empty.bin", null, null, "empty");
    }

    [TestCaseSource(nameof(Locations))]
    public void ExternalDataIsRefused(string location, long? offset, long? length, string words)
    {
        File.WriteAllBytes(Path.Join(Folder.Path, "data.bin"), new byte[20]);
        File.WriteAllBytes(Path.Join(Folder.Path, "empty.bin"), []);
        string path = WithExternalData(location, offset, length).Save(Folder.Path);
        GraphException error = Assert.Throws<GraphException>(() => OnnxImporter.Import(path))!;
        Assert.That(error.Id, Is.EqualTo(OnnxDiagnosticIds.BadExternalData));
        Assert.That(error.Message, Does.Contain(words));
    }

    [Test]
    public void ALinkToExternalDataIsRefused()
    {
        string outside = Path.Join(Folder.Path, "secret.bin");
        File.WriteAllBytes(outside, new byte[16]);
        string model = Directory.CreateDirectory(Path.Join(Folder.Path, "model")).FullName;
        File.CreateSymbolicLink(Path.Join(model, "data.bin"), outside);
        string path = WithExternalData("data.bin").Save(model);
        GraphException error = Assert.Throws<GraphException>(() => OnnxImporter.Import(path))!;
        Assert.That(error.Message, Does.Contain("is a link"));
    }

    [Test]
    public void ALinkedFolderOfExternalDataIsRefused()
    {
        string outside = Directory.CreateDirectory(Path.Join(Folder.Path, "outside")).FullName;
        File.WriteAllBytes(Path.Join(outside, "data.bin"), new byte[16]);
        string model = Directory.CreateDirectory(Path.Join(Folder.Path, "model")).FullName;
        Directory.CreateSymbolicLink(Path.Join(model, "weights"), outside);
        string path = WithExternalData("weights/data.bin").Save(model);
        Assert.That(() => OnnxImporter.Import(path), Throws.TypeOf<GraphException>().With.Message.Contains("is a link"));
    }

    [Test]
    public void AModelInMemoryHasNoExternalData()
    {
        using OnnxModelFile file = OnnxModelFile.Load(WithExternalData("data.bin").ToByteArray(), "memory");
        Assert.That(() => OnnxImporter.Import(file), Throws.TypeOf<GraphException>().With.Message.Contains("no folder"));
    }

    [Test]
    public void ManyTensorsOverOneFileCannotMultiplyIt()
    {
        File.WriteAllBytes(Path.Join(Folder.Path, "data.bin"), new byte[1000]);
        ModelProto model = WithExternalData("data.bin");
        TensorProto first = model.Graph.Initializer[0];
        string last = "y";
        for (int i = 0; i < 1000; i++)
        {
            TensorProto next = first.Clone();
            next.Name = $"w{i}";
            next.Dims[0] = 200;
            next.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{i % 200}" });
            model.Graph.Initializer.Add(next);
            model.Graph.Node.Add(Node("Add", [last, next.Name], [$"n{i}"]));
            last = $"n{i}";
        }
        model.Graph.Output.Add(Tensor(last, 200));
        GraphException error = Assert.Throws<GraphException>(() => OnnxImporter.Import(model.Save(Folder.Path)))!;
        Assert.That(error.Message, Does.Contain("overlap"));
    }

    [Test]
    public void AllMissingOperatorsAreReportedTogether()
    {
        ModelProto model = XToY(
            Node("Foo", ["x"], ["a"]), Node("Bar", ["a"], ["b"]), Node("Foo", ["b"], ["c"]), Node("Relu", ["c"], ["y"]),
            Node("Unused", ["x"], ["z"]));
        using OnnxModelFile file = OnnxModelFile.Load(model.ToByteArray(), "memory");
        IReadOnlyList<UnsupportedOperator> missing = OnnxImporter.FindUnsupported(file);
        Assert.That(missing.Select(m => m.Operator), Is.EqualTo((string[])["Bar", "Foo"]));
        Assert.That(missing[1].Nodes, Is.EqualTo((string[])["Foo_a", "Foo_c"]));
        GraphException error = Assert.Throws<GraphException>(() => OnnxImporter.Import(file))!;
        Assert.That(error.What, Is.EqualTo("onnx: 2 operators are not supported (3 nodes)"));
    }

    [Test]
    public void RandomDamageNeverEscapesAsAnotherError()
    {
        ModelProto model = XToY(
            Node("MatMul", ["x", "w"], ["a"]), Node("Reshape", ["a", "s"], ["b"]), Node("Softmax", ["b"], ["c"], Int("axis", 1)),
            Node("Transpose", ["c"], ["d"], IntList("perm", 1, 0)), Node("Transpose", ["d"], ["y"]));
        model.Graph.Initializer.Add(Floats("w", [3, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9));
        model.Graph.Initializer.Add(Ints("s", -1, 3));
        byte[] whole = model.ToByteArray();
        var random = new Random(7);
        for (int round = 0; round < 3000; round++)
        {
            byte[] bytes = [.. whole];
            for (int i = random.Next(1, 4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            try
            {
                using OnnxModelFile file = OnnxModelFile.Load(bytes, $"round {round}");
                OnnxImporter.Import(file);
            }
            catch (GraphException e)
            {
                Assert.That(e.Message, Is.Not.Empty);
            }
        }
    }

    private static (string Name, string Id, string Words, ModelProto Model) Case(
        string name, string id, string words, ModelProto model, Action<ModelProto>? change = null)
    {
        change?.Invoke(model);
        return (name, id, words, model);
    }

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }

    private static ModelProto WithFunction(string name, params NodeProto[] body)
    {
        ModelProto model = XToY(InDomain(Node(name, ["x"], ["y"])));
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "test", Version = 1 });
        model.Functions.Add(Function(name, [.. body.Select(InDomain)]));
        return model;
    }

    private static ModelProto DoublingFunctions(int levels)
    {
        ModelProto model = WithFunction("F0", Node("F1", ["a"], ["t"]), Node("F1", ["t"], ["b"]));
        for (int i = 1; i < levels; i++)
        {
            model.Functions.Add(Function($"F{i}", [InDomain(Node($"F{i + 1}", ["a"], ["t"])), InDomain(Node($"F{i + 1}", ["t"], ["b"]))]));
        }
        model.Functions.Add(Function($"F{levels}", [Node("Relu", ["a"], ["b"])]));
        return model;
    }

    private static FunctionProto Function(string name, NodeProto[] body)
    {
        var function = new FunctionProto { Name = name, Domain = "test", Input = { "a" }, Output = { "b" } };
        function.Node.AddRange(body);
        function.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        function.OpsetImport.Add(new OperatorSetIdProto { Domain = "test", Version = 1 });
        return function;
    }

    private static NodeProto InDomain(NodeProto node) => With(node, n => n.Domain = "test");

    private static ModelProto CircularTree()
    {
        NodeProto tree = Node(
            "TreeEnsembleRegressor", ["x"], ["y"], IntList("nodes_treeids", 0, 0), IntList("nodes_nodeids", 0, 1),
            IntList("nodes_featureids", 0, 0), IntList("nodes_truenodeids", 1, 0), IntList("nodes_falsenodeids", 1, 0));
        tree.Domain = "ai.onnx.ml";
        var modes = new AttributeProto { Name = "nodes_modes", Type = AttributeProto.Types.AttributeType.Strings };
        modes.Strings.Add(ByteString.CopyFromUtf8("BRANCH_LEQ"));
        modes.Strings.Add(ByteString.CopyFromUtf8("BRANCH_LEQ"));
        var values = new AttributeProto { Name = "nodes_values", Type = AttributeProto.Types.AttributeType.Floats };
        values.Floats.AddRange([1, 2]);
        tree.Attribute.Add(modes);
        tree.Attribute.Add(values);
        ModelProto model = XToY(tree);
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 1 });
        return model;
    }
}
