using System.Globalization;
using System.Text;

namespace Graphene.Tests.Packages;

/// <summary>Signature files as the build writes them, put together for tests of the generator.</summary>
internal sealed class SignatureSample(string model = "model.onnx", string className = "", string access = "public", string space = "Made")
{
    private readonly StringBuilder _text = new(string.Create(
        CultureInfo.InvariantCulture,
        $"graphene-signature\t1\nmodel\t{model}\nbundle\t{model}.graphene\nsha256\t00\nclass\t{space}\t{className}\t{access}\n"));

    /// <summary>Begins a function.</summary>
    public SignatureSample Function(string name, params IEnumerable<string> symbols)
    {
        _text.Append(CultureInfo.InvariantCulture, $"function\t{name}\t(...) -> (...)\n");
        foreach (string symbol in symbols)
        {
            _text.Append(CultureInfo.InvariantCulture, $"symbol\t{symbol}\t1\t2147483647\n");
        }
        return this;
    }

    /// <summary>Adds an input.</summary>
    public SignatureSample Input(string name, string dtype, params string[] dims) => Port("input", name, dtype, dims);

    /// <summary>Adds an output.</summary>
    public SignatureSample Output(string name, string dtype, params string[] dims) => Port("output", name, dtype, dims);

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private SignatureSample Port(string kind, string name, string dtype, string[] dims)
    {
        string escaped = name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal);
        _text.AppendJoin('\t', [kind, escaped, dtype, .. dims]).Append('\n');
        return this;
    }
}
