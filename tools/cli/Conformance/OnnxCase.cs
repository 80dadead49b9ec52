using System.Globalization;
using Graphene.Interop.Onnx;

namespace Graphene.Cli.Conformance;

/// <summary>A folder of the ONNX backend test layout: <c>model.onnx</c> and <c>test_data_set_K/{input,output}_I.pb</c>.</summary>
/// <param name="Name">The folder's name.</param>
/// <param name="Folder">Its path.</param>
internal sealed record OnnxCase(string Name, string Folder)
{
    /// <summary>The model.</summary>
    public string ModelPath => Path.Combine(Folder, "model.onnx");

    /// <summary>All cases below a folder, at any depth, ordered by path; the folder itself may be one.</summary>
    public static IReadOnlyList<OnnxCase> Find(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new UsageException($"there is no folder {folder}");
        }
        return
        [
            .. Directory.EnumerateFiles(folder, "model.onnx", SearchOption.AllDirectories)
                .Select(f => Path.GetDirectoryName(Path.GetFullPath(f))!)
                .Order(StringComparer.Ordinal)
                .Select(f => new OnnxCase(Path.GetFileName(f), f)),
        ];
    }

    /// <summary>The folders of the data sets, in order.</summary>
    public IReadOnlyList<string> DataSets() =>
        [.. Directory.GetDirectories(Folder, "test_data_set_*").OrderBy(NumberOf)];

    /// <summary>The tensors of a data set: <c>input_0.pb</c>, <c>input_1.pb</c> ... or the outputs, in order.</summary>
    public static IReadOnlyList<Literal> ReadTensors(string dataSet, string kind) =>
        [.. Directory.GetFiles(dataSet, $"{kind}_*.pb").OrderBy(NumberOf).Select(f => OnnxTensor.Read(f).Value)];

    private static int NumberOf(string path)
    {
        string name = Path.GetFileNameWithoutExtension(path);
        return int.TryParse(name.AsSpan(name.LastIndexOf('_') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : -1;
    }
}
