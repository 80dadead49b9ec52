using System.Text;
using Google.Protobuf;
using Graphene.Codegen;
using Graphene.Codegen.Aot;
using Graphene.Codegen.Llvm;
using Graphene.Interop.Numpy;
using Graphene.Interop.Onnx;
using Graphene.Interop.Onnx.Schema;
using Graphene.Runtime;
using static Graphene.Tests.Interop.Onnx.OnnxModels;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Files() =>
    [
        Of(OnnxDiagnosticIds.CannotOpen, () => OnnxImporter.Import("no-such-model.onnx")),
        Of(OnnxDiagnosticIds.NotOnnx, () => OnnxModelFile.Load("<!doctype html><title>404</title>"u8.ToArray(), "model.onnx")),
        Of(OnnxDiagnosticIds.Damaged, () =>
        {
            byte[] bytes = XToY(Node("Relu", ["x"], ["y"])).ToByteArray();
            OnnxModelFile.Load(bytes.AsMemory(0, bytes.Length / 2), "model.onnx");
        }),
        Of(OnnxDiagnosticIds.TooLarge, () =>
        {
            byte[] bytes = XToY(Node("Relu", ["x"], ["y"])).ToByteArray();
            OnnxModelFile.Load(bytes, "model.onnx", new OnnxLoadOptions { MaxFileBytes = 10 });
        }),
        Of(OnnxDiagnosticIds.BadVersion, () =>
        {
            ModelProto model = XToY(Node("Relu", ["x"], ["y"]));
            model.OpsetImport[0].Version = 999;
            Import(model);
        }),
        Of(OnnxDiagnosticIds.BadTensor, () =>
        {
            ModelProto model = XToY(Node("Add", ["x", "w"], ["y"]));
            model.Graph.Initializer.Add(Floats("w", [4], 1, 2, 3));
            Import(model);
        }),
        Of(OnnxDiagnosticIds.BadExternalData, () => Import(WithExternalData("../weights.bin"))),
        Of(OnnxDiagnosticIds.BadGraph, () => Import(XToY(Node("Add", ["x", "nobody"], ["y"])))),
        Of(DiagnosticId.ConstantChanged, () =>
        {
            ModelProto model = XToY(Node("Add", ["x", "w"], ["y"]));
            model.Graph.Initializer.Add(Floats("w", [32768, 2, 3], new float[32768 * 6]));
            File.WriteAllBytes("changing.onnx", model.ToByteArray());
            Module module = new OnnxSource("changing.onnx").Load();
            File.SetLastWriteTimeUtc("changing.onnx", DateTime.UnixEpoch);
            _ = module.Entry.PostOrder().Select(n => n.Op).OfType<ConstantOp>().Single().Value.Bytes;
        }),
        Of(OnnxDiagnosticIds.UnsupportedOperators, () =>
        {
            ModelProto model = XToY(Node("Frobnicate", ["x"], ["a"]), Node("Frobnicate", ["a"], ["y"]));
            Import(model);
        }),
        Of(OnnxDiagnosticIds.BadNode, () => Import(XToY(Node("Softmax", ["x"], ["y"], Int("axis", 7))))),
        Of(OnnxDiagnosticIds.UnsupportedType, () =>
        {
            ValueInfoProto words = Tensor("words", OnnxDataType.String, 1);
            Import(Model(Graph([words], [Tensor("y", 1)], Node("Identity", ["words"], ["y"]))));
        }),
        Of(OnnxDiagnosticIds.UnsupportedUse, () =>
        {
            GraphProto yes = Graph([], [Tensor("a", 2, 3)], Node("Identity", ["x"], ["a"]));
            GraphProto no = Graph([], [Tensor("b", 3)], Node("ReduceSum", ["x", "axes"], ["b"], Int("keepdims", 0)));
            ModelProto model = Model(Graph(
                [Tensor("x", 2, 3), Tensor("c", OnnxDataType.Bool)], [Tensor("y", 3)],
                Node("If", ["c"], ["y"], Body("then_branch", yes), Body("else_branch", no))));
            model.Graph.Initializer.Add(Ints("axes", 0));
            Import(model);
        }),
        Of(OnnxDiagnosticIds.BadDimension, () =>
        {
            ValueInfoProto x = Tensor("x", OnnxDataType.Float, -5);
            Import(Model(Graph([x], [Tensor("y", 1)], Node("Relu", ["x"], ["y"]))));
        }),
        Of(OnnxDiagnosticIds.ValueNeeded, () =>
        {
            ValueInfoProto shape = Tensor("shape", OnnxDataType.Int64, 2);
            Import(Model(Graph([Tensor("x", 2, 3), shape], [Tensor("y", 3, 2)], Node("Reshape", ["x", "shape"], ["y"]))));
        }),
        Of(OnnxDiagnosticIds.NoOnnxForm, () =>
        {
            var graph = new Graph("bits");
            Tensor x = graph.Placeholder(DType.F32, [4], "x");
            Tensor bits = x.Bitcast(DType.I32);
            OnnxExporter.Export(graph.ToModule([bits]), "bits.onnx");
        }),
        Of(OnnxDiagnosticIds.CannotWrite, () =>
        {
            var graph = new Graph();
            Tensor y = graph.Placeholder(DType.F32, [4], "x").Exp();
            OnnxExporter.Export(graph.ToModule([y]), "no-such-folder/model.onnx");
        }),
        Of(OnnxDiagnosticIds.BadExportValue, () =>
        {
            var graph = new Graph("line");
            Tensor y = graph.Placeholder(DType.F32, [4], "x") * graph.Placeholder(DType.F32, [4], "slope");
            var values = new Dictionary<string, Literal> { ["slope"] = Literal.From<double>([1, 2, 3, 4], 4) };
            OnnxExporter.Export(graph.ToModule([y]), "line.onnx", new OnnxExportOptions { Values = values });
        }),
        Of(NpyDiagnosticIds.CannotOpen, () => NpyFile.Read("no-such-array.npy")),
        Of(NpyDiagnosticIds.NotNpy, () => NpyFile.Read(new MemoryStream("1.0, 2.0, 3.0\n"u8.ToArray()), "x.npy")),
        Of(NpyDiagnosticIds.Damaged, () =>
        {
            using var file = new MemoryStream();
            NpyFile.Write(file, Literal.From<float>([1, 2, 3], 3));
            NpyFile.Read(new MemoryStream(file.ToArray()[..^4]), "x.npy");
        }),
        Of(NpyDiagnosticIds.UnsupportedType, () => ReadNpy("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}")),
        Of(NpyDiagnosticIds.TooLarge, () => ReadNpy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}")),
        Of(CodegenDiagnostics.NativeLibrary, () => LlvmLibrary.Find("no-such-folder/libLLVM.so")),
        Of(CodegenDiagnostics.UnsupportedTarget, () => LlvmCompiler.Compile("", new LlvmTarget("sparc-sun-solaris"))),
        Of(CodegenDiagnostics.UnknownTarget, () => AotTarget.Parse("x86-64-v9")),
        Of(CodegenDiagnostics.AmbiguousVariant, () => AotTarget.Parse("x86-64", features: "+avx2")),
        Of(RuntimeDiagnostics.ObjectCode, () => ElfObject.Parse("MZ, a Windows program"u8.ToArray(), "kernels.o")),
        Of(RuntimeDiagnostics.BadExecutable, () =>
        {
            string path = Path.GetTempFileName();
            try
            {
                File.WriteAllText(path, "not a bundle");
                Executable.Read(path);
            }
            finally
            {
                File.Delete(path);
            }
        }),
    ];

    private static OnnxModel Import(ModelProto model)
    {
        using OnnxModelFile file = OnnxModelFile.Load(model.ToByteArray(), "model.onnx");
        return OnnxImporter.Import(file);
    }

    private static Literal ReadNpy(string header)
    {
        byte[] text = Encoding.ASCII.GetBytes(header + "\n");
        byte[] file = [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, (byte)(text.Length >> 8), .. text];
        return NpyFile.Read(new MemoryStream(file), "x.npy");
    }
}
