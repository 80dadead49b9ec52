using System.Globalization;
using System.Text;

namespace Graphene.Codegen.Llvm;

/// <summary>Collects the instructions of one function: an entry block that grows apart, and the blocks after it.</summary>
internal sealed class LlvmFunctionWriter
{
    private readonly StringBuilder _entry = new();
    private readonly StringBuilder _body = new();
    private int _values;
    private int _labels;

    /// <summary>The label of the block that is being written.</summary>
    public string Block { get; private set; } = "entry";

    /// <summary>A label for a block to come.</summary>
    public string NewLabel() => $"b{Number(_labels++)}";

    /// <summary>A register that is defined later.</summary>
    public string NewRegister() => $"%v{Number(_values++)}";

    /// <summary>Appends an instruction with a result.</summary>
    public LlvmValue Add(KType type, string instruction)
    {
        string name = NewRegister();
        Define(name, instruction);
        return new LlvmValue(name, type);
    }

    /// <summary>Appends the instruction that defines a register.</summary>
    public void Define(string register, string instruction) => Do($"{register} = {instruction}");

    /// <summary>Appends an instruction without result.</summary>
    public void Do(string instruction) => _body.Append("  ").Append(instruction).Append('\n');

    /// <summary>Appends an instruction with a result to the entry block.</summary>
    public string AddToEntry(string instruction)
    {
        string name = NewRegister();
        DoInEntry($"{name} = {instruction}");
        return name;
    }

    /// <summary>Appends an instruction without result to the entry block.</summary>
    public void DoInEntry(string instruction) => _entry.Append("  ").Append(instruction).Append('\n');

    /// <summary>Begins a block.</summary>
    public void Begin(string label)
    {
        Block = label;
        _body.Append(label).Append(":\n");
    }

    /// <summary>Ends a block.</summary>
    public void Branch(string label) => Do($"br label %{label}");

    /// <summary>Ends a block by a choice.</summary>
    public void Branch(LlvmValue condition, string whenTrue, string whenFalse) =>
        Do($"br {condition}, label %{whenTrue}, label %{whenFalse}");

    /// <summary>Everything between the function's braces.</summary>
    /// <param name="first">The block that the entry block goes on to.</param>
    public string ToText(string first) => $"entry:\n{_entry}  br label %{first}\n{_body}";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
