using System.Globalization;
using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>Collects LLVM IR: instructions of one function after another, with fresh names.</summary>
internal sealed class IrWriter
{
    private readonly StringBuilder _text = new();
    private int _next;

    /// <summary>Appends a line as it is.</summary>
    public void Raw(string line) => _text.Append(line).Append('\n');

    /// <summary>Appends an instruction.</summary>
    public void Do(string instruction) => _text.Append("  ").Append(instruction).Append('\n');

    /// <summary>Appends an instruction with a result, and names it.</summary>
    public string Let(string instruction)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"%v{_next++}");
        Do($"{name} = {instruction}");
        return name;
    }

    /// <summary>A name for a block to come.</summary>
    public string Label(string what) => string.Create(CultureInfo.InvariantCulture, $"{what}{_next++}");

    /// <summary>Begins a block.</summary>
    public void Begin(string label) => _text.Append(label).Append(":\n");

    /// <summary>Goes on in a new block unless a condition holds; then to the block of that name.</summary>
    public void LeaveIf(string condition, string target)
    {
        string go = Label("go");
        Do($"br i1 {condition}, label %{target}, label %{go}");
        Begin(go);
    }

    /// <summary>Returns a constant when a condition holds.</summary>
    public void ReturnIf(string condition, NativeErrorCode code)
    {
        (string yes, string no) = (Label("fail"), Label("go"));
        Do($"br i1 {condition}, label %{yes}, label %{no}");
        Begin(yes);
        Do($"ret i32 {((int)code).ToString(CultureInfo.InvariantCulture)}");
        Begin(no);
    }

    /// <summary>A private array of 32-bit numbers.</summary>
    public void Numbers(string name, IReadOnlyList<int> values) => Raw(string.Create(
        CultureInfo.InvariantCulture,
        $"@{name} = private unnamed_addr constant [{values.Count} x i32] [{string.Join(", ", values.Select(v => $"i32 {v.ToString(CultureInfo.InvariantCulture)}"))}]"));

    /// <summary>A private array of bytes.</summary>
    public void Bytes(string name, ReadOnlySpan<byte> values)
    {
        var text = new StringBuilder();
        foreach (byte b in values)
        {
            _ = b is >= 0x20 and < 0x7F and not (byte)'"' and not (byte)'\\'
                ? text.Append((char)b)
                : text.Append('\\').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
        Raw(string.Create(CultureInfo.InvariantCulture, $"@{name} = private unnamed_addr constant [{values.Length} x i8] c\"{text}\""));
    }

    /// <summary>A private text that ends with a zero.</summary>
    public void Text(string name, string value) => Bytes(name, Encoding.UTF8.GetBytes(value + "\0"));

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
