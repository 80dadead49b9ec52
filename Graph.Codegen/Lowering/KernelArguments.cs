namespace Graphene.Codegen;

/// <summary>Numbers the buffers of a kernel while its body is written.</summary>
public sealed class KernelArguments
{
    private readonly List<KBuffer> _buffers = [];
    private readonly List<KernelOperand> _operands = [];

    /// <summary>The buffers so far.</summary>
    public IReadOnlyList<KBuffer> Buffers => _buffers;

    /// <summary>What each buffer is.</summary>
    public IReadOnlyList<KernelOperand> Operands => _operands;

    /// <summary>Adds a buffer that is only read.</summary>
    public KBuffer Input(string name, DType type, KernelOperand operand) => Add(name, type, operand, isReadOnly: true);

    /// <summary>Adds a buffer that is written.</summary>
    public KBuffer Output(string name, DType type, KernelOperand operand) => Add(name, type, operand, isReadOnly: false);

    private KBuffer Add(string name, DType type, KernelOperand operand, bool isReadOnly)
    {
        KBuffer buffer = KBuffer.ForArgument(name, type, _buffers.Count, isReadOnly);
        _buffers.Add(buffer);
        _operands.Add(operand);
        return buffer;
    }
}
