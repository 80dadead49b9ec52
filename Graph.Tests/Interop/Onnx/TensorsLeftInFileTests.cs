using Google.Protobuf;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Tests.Support;
using NUnit.Framework;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Interop.Onnx;

/// <summary>Large tensors that stay in their file until they are needed: how long that works, and what happens when it does not.</summary>
[TestFixture]
internal sealed class TensorsLeftInFileTests : FolderFixture
{
    private const int Count = 64 << 10;
    private static readonly OnnxLoadOptions Leave = new() { LeavesTensorsInFile = true };

    [Test]
    public void TheImportedModelIsTheSame()
    {
        string path = Adds(1).Save(Folder.Path);
        Module left = Import(path);
        Module read = OnnxImporter.Import(path).Module;
        Assert.That(left.Entry.StructuralKey, Is.EqualTo(read.Entry.StructuralKey));
        Assert.That(Weights(left), Is.EqualTo(Weights(read)));
    }

    [Test]
    public void TheFileMayBeClosedMovedAndDeletedMeanwhile()
    {
        string path = Adds(1).Save(Folder.Path);
        Module module = Import(path);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        File.Delete(path);
        Assert.That(Weights(module).Part().As<float>()[5], Is.EqualTo(6));
        Literal sum = CompiledModule.Run(module, [Literal.From<float>(new float[Count], Count)])[0];
        Assert.That(sum.As<float>()[Count - 1], Is.EqualTo((float)Count));
    }

    [Test]
    public void AFileThatIsReplacedByRenamingKeepsItsContentForTheModel()
    {
        string path = Adds(1).Save(Folder.Path);
        Module module = Import(path);
        File.WriteAllBytes(path + ".new", Adds(100).ToByteArray());
        File.Move(path + ".new", path, overwrite: true);
        Assert.That(Weights(module).Part().As<float>()[5], Is.EqualTo(6));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void AFileThatIsWrittenToMeanwhileIsOneReadableError(bool isShortened)
    {
        string path = Adds(1).Save(Folder.Path);
        Module module = Import(path);
        if (isShortened)
        {
            // As other programs open files: .NET's own default would respect that the model has it open.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(file.Length - 1000);
        }
        else
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddSeconds(5));
        }
        Assert.That(
            Assert.Throws<GraphException>(() => Weights(module).Part())!.Id, Is.EqualTo(DiagnosticId.ConstantChanged));
        GraphException compiling = Assert.Throws<GraphException>(
            () => CompiledModule.Run(module, [Literal.From<float>(new float[Count], Count)]))!;
        Assert.That(compiling.Id, Is.EqualTo(DiagnosticId.ConstantChanged), "not a bug of the compiler");
    }

    [Test]
    public void ExternalDataStaysWhereItIsToo()
    {
        ModelProto model = WithExternalData("data.bin");
        model.Graph.Initializer[0].Dims[0] = Count;
        model.Graph.Input[0] = Tensor("x", Count);
        model.Graph.Output[0] = Tensor("y", Count);
        File.WriteAllBytes(Path.Join(Folder.Path, "data.bin"), Bytes(1));
        Module module = Import(model.Save(Folder.Path));
        Assert.That(Weights(module).Part().As<float>()[5], Is.EqualTo(6));
        File.WriteAllBytes(Path.Join(Folder.Path, "data.bin"), []);
        Assert.That(
            Assert.Throws<GraphException>(() => Weights(module).Part())!.Id, Is.EqualTo(DiagnosticId.ConstantChanged));
    }

    [Test]
    public void ManyTensorsOverOneFileAreRefusedHere()
    {
        ModelProto model = WithExternalData("data.bin");
        model.Graph.Initializer.Clear();
        string sum = "x";
        for (int i = 0; i < 20; i++)
        {
            var tensor = new TensorProto
            {
                Name = $"w{i}",
                DataType = (int)OnnxDataType.Float,
                Dims = { Count },
                DataLocation = TensorProto.Types.DataLocation.External,
            };
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "data.bin" });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{i * 4}" });
            model.Graph.Initializer.Add(tensor);
            string next = i == 19 ? "y" : $"s{i}";
            if (i == 0)
            {
                model.Graph.Node.Clear();
            }
            model.Graph.Node.Add(Node("Add", [sum, $"w{i}"], [next]));
            sum = next;
        }
        model.Graph.Input[0] = Tensor("x", Count);
        model.Graph.Output[0] = Tensor("y", Count);
        File.WriteAllBytes(Path.Join(Folder.Path, "data.bin"), [.. Bytes(1), .. new byte[100]]);
        GraphException e = Assert.Throws<GraphException>(() => Import(model.Save(Folder.Path)))!;
        Assert.That(e.Id, Is.EqualTo(OnnxDiagnosticIds.BadExternalData));
        Assert.That(e.What, Does.Contain("overlap"));
    }

    [Test]
    public void TruthValuesAndSmallTensorsAreReadAtOnce()
    {
        ModelProto model = Model(Graph([Tensor("x", 4)], [Tensor("y", 4)], Node("Add", ["x", "w"], ["y"])));
        model.Graph.Initializer.Add(Floats("w", [4], 1, 2, 3, 4));
        string path = model.Save(Folder.Path);
        Module module = Import(path);
        File.WriteAllText(path, "changed");
        Assert.That(Weights(module).As<float>().ToArray(), Is.EqualTo(new float[] { 1, 2, 3, 4 }));
    }

    private static Module Import(string path)
    {
        using OnnxModelFile file = OnnxModelFile.Load(path, Leave);
        return OnnxImporter.Import(file).Module;
    }

    private static Literal Weights(Module module) =>
        module.Entry.PostOrder().Select(n => n.Op).OfType<ConstantOp>().Single().Value;

    // y = x + (first, first + 1, first + 2, ...)
    private static ModelProto Adds(float first)
    {
        ModelProto model = Model(Graph([Tensor("x", Count)], [Tensor("y", Count)], Node("Add", ["x", "w"], ["y"])));
        var tensor = new TensorProto
        {
            Name = "w",
            DataType = (int)OnnxDataType.Float,
            Dims = { Count },
            RawData = ByteString.CopyFrom(Bytes(first)),
        };
        model.Graph.Initializer.Add(tensor);
        return model;
    }

    private static byte[] Bytes(float first) =>
        [.. Enumerable.Range(0, Count).SelectMany(i => BitConverter.GetBytes(first + i))];
}
