namespace Graphene.Codegen;

/// <summary>Steps that move elements of any type by their bits.</summary>
internal static class SimtSteps
{
    public static SimtStep Spread(SimtSlot result, SimtSlot value) => Bytes(result) switch
    {
        1 => new SpreadStep<byte>(result, value),
        2 => new SpreadStep<ushort>(result, value),
        4 => new SpreadStep<uint>(result, value),
        _ => new SpreadStep<ulong>(result, value),
    };

    public static SimtStep Lanes(SimtSlot result, (SimtSlot, int)[] sources) => Bytes(result) switch
    {
        1 => new LanesStep<byte>(result, sources),
        2 => new LanesStep<ushort>(result, sources),
        4 => new LanesStep<uint>(result, sources),
        _ => new LanesStep<ulong>(result, sources),
    };

    public static SimtStep Assign(SimtSlot register, SimtSlot value) => Bytes(register) switch
    {
        1 => new AssignStep<byte>(register, value),
        2 => new AssignStep<ushort>(register, value),
        4 => new AssignStep<uint>(register, value),
        _ => new AssignStep<ulong>(register, value),
    };

    public static SimtStep Select(SimtSlot result, SimtSlot condition, SimtSlot whenTrue, SimtSlot whenFalse) => Bytes(result) switch
    {
        1 => new SelectStep<byte>(result, condition, whenTrue, whenFalse),
        2 => new SelectStep<ushort>(result, condition, whenTrue, whenFalse),
        4 => new SelectStep<uint>(result, condition, whenTrue, whenFalse),
        _ => new SelectStep<ulong>(result, condition, whenTrue, whenFalse),
    };

    public static SimtStep Load(
        SimtSlot result, int buffer, SimtSlot index, SimtSlot? mask, SimtSlot? otherwise, int alignment) => Bytes(result) switch
        {
            1 => new LoadStep<byte>(result, buffer, index, mask, otherwise, alignment),
            2 => new LoadStep<ushort>(result, buffer, index, mask, otherwise, alignment),
            4 => new LoadStep<uint>(result, buffer, index, mask, otherwise, alignment),
            _ => new LoadStep<ulong>(result, buffer, index, mask, otherwise, alignment),
        };

    public static SimtStep Store(int buffer, SimtSlot index, SimtSlot value, SimtSlot? mask, int alignment) => Bytes(value) switch
    {
        1 => new StoreStep<byte>(buffer, index, value, mask, alignment),
        2 => new StoreStep<ushort>(buffer, index, value, mask, alignment),
        4 => new StoreStep<uint>(buffer, index, value, mask, alignment),
        _ => new StoreStep<ulong>(buffer, index, value, mask, alignment),
    };

    public static SimtStep Exchange(SimtSlot result, SimtSlot value, SimtSlot operand, KExchangeKind kind) => Bytes(result) switch
    {
        1 => new ExchangeStep<byte>(result, value, operand, kind),
        2 => new ExchangeStep<ushort>(result, value, operand, kind),
        4 => new ExchangeStep<uint>(result, value, operand, kind),
        _ => new ExchangeStep<ulong>(result, value, operand, kind),
    };

    public static SimtStep FragmentLoad(SimtSlot result, int buffer, SimtSlot index, int count, bool isTransposed) => Bytes(result) switch
    {
        1 => new FragmentLoadStep<byte>(result, buffer, index, count, isTransposed),
        2 => new FragmentLoadStep<ushort>(result, buffer, index, count, isTransposed),
        _ => new FragmentLoadStep<uint>(result, buffer, index, count, isTransposed),
    };

    private static int Bytes(SimtSlot slot) => slot.Type.Element.SizeInBytes();
}
