namespace Graphene.Runtime;

/// <summary>Checks what compiled code and the runtime rely on in a plan, whoever made it.</summary>
/// <remarks>
/// Compiled code trusts the pointer table without looking, so this is where sizes must be right: a parameter or result
/// buffer is exactly as large as the type that feeds are checked against, constants lie inside the constants, and
/// parts of buffers inside those buffers.
/// </remarks>
internal static class PlanVerifier
{
    /// <summary>The most entries of any list in a plan.</summary>
    public const int MaxEntries = 1 << 20;

    private const int FewNames = 16;

    /// <summary>Says what is wrong with a plan; null when it is sound.</summary>
    public static string? Check(ExecutablePlan plan, long constantBytes)
    {
        try
        {
            return CheckNames(plan) ?? CheckSymbols(plan.SymbolTable) ?? CheckInputs(plan) ?? CheckOutputs(plan)
                ?? CheckBuffers(plan, constantBytes) ?? CheckHostCalls(plan)
                ?? (plan.Gpu is null && plan.TargetTriple != GpuPlan.Triple ? null : GpuPlanVerifier.Check(plan));
        }
        catch (OverflowException)
        {
            return "the size of a tensor leaves 64 bits";
        }
    }

    private static string? CheckNames(ExecutablePlan plan)
    {
        if (plan.EntrySymbol.Length == 0)
        {
            return "the entry function has no name";
        }
        bool haveSeveral = plan.InputTable.Length > 1 || plan.OutputTable.Length > 1 || plan.SymbolTable.Length > 1;
        return haveSeveral ? CheckRepetitions(plan) : null;
    }

    private static string? CheckRepetitions(ExecutablePlan plan)
    {
        return Repeated(plan.InputTable.Length, i => plan.InputTable[i].Name) is { } input ? $"two inputs are called '{input}'"
            : Repeated(plan.OutputTable.Length, i => plan.OutputTable[i].Name) is { } output ? $"two outputs are called '{output}'"
            : Repeated(plan.SymbolTable.Length, i => plan.SymbolTable[i].Name) is { } symbol ? $"two symbols are called '{symbol}'"
            : null;
    }

    private static string? CheckSymbols(DimSymbol[] symbols)
    {
        foreach (DimSymbol symbol in symbols)
        {
            if (symbol.Min < 0 || symbol.Max < symbol.Min)
            {
                return $"symbol '{symbol.Name}' has the bounds {symbol.Min}..{symbol.Max}";
            }
        }
        return null;
    }

    private static string? CheckInputs(ExecutablePlan plan)
    {
        foreach (InputSpec input in plan.InputTable)
        {
            if (CheckType(input.Type) is { } problem)
            {
                return $"input '{input.Name}': {problem}";
            }
            if (input.DefaultBuffer >= 0 && !IsConstantOf(plan, input.DefaultBuffer, input.Type))
            {
                return $"input '{input.Name}': its default is not a constant of type {input.Type}";
            }
        }
        return null;
    }

    private static bool IsConstantOf(ExecutablePlan plan, int buffer, TensorType type) =>
        buffer < plan.BufferTable.Length
        && plan.BufferTable[buffer].Kind == BufferKind.Constant
        && type.Shape.IsStatic
        && plan.BufferTable[buffer].SizeInBytes == type.SizeInBytes;

    private static string? CheckOutputs(ExecutablePlan plan)
    {
        for (int i = 0; i < plan.OutputTable.Length; i++)
        {
            OutputSpec output = plan.OutputTable[i];
            if (CheckType(output.Type) is { } problem)
            {
                return $"output '{output.Name}': {problem}";
            }
            if (output.Buffer < 0 || output.Buffer >= plan.BufferTable.Length)
            {
                return $"output '{output.Name}': there is no buffer {output.Buffer}";
            }
            Dim present = plan.BufferTable[output.Buffer].SizeInBytes;
            if (present != output.Type.SizeInBytes)
            {
                return $"output '{output.Name}' takes {output.Type.SizeInBytes} bytes, its buffer has {present}";
            }
        }
        return null;
    }

    private static string? CheckType(TensorType type) =>
        type.DType.IsComplex() ? $"{type} is complex"
        : !type.IsRowMajor ? $"{type} is not row-major"
        : null;

    private static string? CheckBuffers(ExecutablePlan plan, long constantBytes)
    {
        bool someArePlaced = false;
        bool someAreNot = false;
        for (int i = 0; i < plan.BufferTable.Length; i++)
        {
            BufferSpec buffer = plan.BufferTable[i];
            if (CheckBuffer(plan, buffer, constantBytes) is { } problem)
            {
                return $"buffer {i}: {problem}";
            }
            someArePlaced |= buffer is { Kind: BufferKind.Temp, Offset: not null };
            someAreNot |= buffer is { Kind: BufferKind.Temp, Offset: null };
        }
        return someArePlaced && someAreNot ? "some temporary buffers have an arena offset and some have none" : null;
    }

    private static string? CheckBuffer(ExecutablePlan plan, BufferSpec buffer, long constantBytes)
    {
        if (buffer.SizeInBytes is { IsStatic: true, Value: < 0 })
        {
            return $"it has {buffer.SizeInBytes} bytes";
        }
        return buffer.Kind switch
        {
            BufferKind.Parameter when buffer.Index < 0 || buffer.Index >= plan.InputTable.Length
                => $"there is no input {buffer.Index}",
            BufferKind.Parameter when buffer.SizeInBytes != plan.InputTable[buffer.Index].Type.SizeInBytes
                => $"it has {buffer.SizeInBytes} bytes, its input {plan.InputTable[buffer.Index].Type}",
            BufferKind.Result when buffer.Index < 0 || buffer.Index >= plan.OutputTable.Length
                => $"there is no output {buffer.Index}",
            BufferKind.Result when buffer.SizeInBytes != plan.OutputTable[buffer.Index].Type.SizeInBytes
                => $"it has {buffer.SizeInBytes} bytes, its output {plan.OutputTable[buffer.Index].Type}",
            BufferKind.Constant => CheckConstant(buffer, constantBytes),
            BufferKind.Temp => CheckTemp(buffer),
            BufferKind.Alias => CheckAlias(plan, buffer),
            BufferKind.Parameter or BufferKind.Result => null,
            _ => $"there is no kind {(int)buffer.Kind}",
        };
    }

    private static string? CheckConstant(BufferSpec buffer, long constantBytes) =>
        buffer is { SizeInBytes.IsStatic: true, Offset: { IsStatic: true } offset }
        && offset.Value >= 0
        && offset.Value % NativeBlock.Alignment == 0
        && offset.Value <= constantBytes
        && buffer.SizeInBytes.Value <= constantBytes - offset.Value
            ? null
            : $"{buffer.SizeInBytes} bytes at {buffer.Offset} do not lie in {constantBytes} bytes of constants";

    private static string? CheckTemp(BufferSpec buffer)
    {
        if (buffer.FirstStep < 0 || buffer.LastStep < buffer.FirstStep)
        {
            return $"it lives from step {buffer.FirstStep} to {buffer.LastStep}";
        }
        return buffer.Offset is not { } offset
            || (offset is { IsStatic: true, Value: >= 0 and <= long.MaxValue / 4 }
                && offset.Value % NativeBlock.Alignment == 0
                && buffer.SizeInBytes is { IsStatic: true, Value: <= long.MaxValue / 4 })
                ? null
                : $"an arena offset of {offset} for {buffer.SizeInBytes} bytes is not possible";
    }

    // What depends on symbols is checked again when they have values.
    private static string? CheckAlias(ExecutablePlan plan, BufferSpec buffer)
    {
        if (buffer.Index < 0
            || buffer.Index >= plan.BufferTable.Length
            || plan.BufferTable[buffer.Index].Kind == BufferKind.Alias)
        {
            return $"buffer {buffer.Index} has no parts";
        }
        if (buffer.Offset is not { } offset)
        {
            return "it has no offset";
        }
        Dim whole = plan.BufferTable[buffer.Index].SizeInBytes;
        bool isStatic = offset.IsStatic && buffer.SizeInBytes.IsStatic && whole.IsStatic;
        return !isStatic || LiesInside(offset.Value, buffer.SizeInBytes.Value, whole.Value)
            ? null
            : $"{buffer.SizeInBytes} bytes at {offset} do not lie in {whole} bytes";
    }

    // What few plans have is apart: the types that a method takes are loaded when it begins.
    private static string? CheckHostCalls(ExecutablePlan plan) => plan.HostCallTable.Length == 0 ? null : CheckEachHostCall(plan);

    private static string? CheckEachHostCall(ExecutablePlan plan)
    {
        foreach (HostCallSpec call in plan.HostCallTable)
        {
            if (call is { Kind: HostCallKind.Assert, Operands: not [{ DType: DType.Bool }, ..] }
                or { Kind: HostCallKind.Tap, Operands: not [_] })
            {
                return "an assertion has no condition";
            }
            foreach (TensorType operand in call.Operands)
            {
                if (CheckType(operand) is { } problem)
                {
                    return problem;
                }
            }
        }
        return null;
    }

    /// <summary>Says whether a plan counts on objects that are not there; null when it does not.</summary>
    public static string? CheckObjects(ExecutablePlan plan, int objects) => plan.Gpu is { } gpu ? CheckKernels(gpu, objects) : null;

    private static string? CheckKernels(GpuPlan gpu, int objects)
    {
        foreach (GpuKernel kernel in gpu.Kernels)
        {
            if (kernel.Object >= objects)
            {
                return $"kernel '{kernel.Name}' is in object {kernel.Object}, there are {objects}";
            }
        }
        return null;
    }

    /// <summary>Whether a range of bytes lies inside a buffer.</summary>
    public static bool LiesInside(long offset, long size, long whole) =>
        offset >= 0 && size >= 0 && offset <= whole && size <= whole - offset;

    /// <summary>A name that occurs twice; null when there is none.</summary>
    /// <remarks>
    /// Few names are compared with each other: every start comes through here, and sets of names take types that it
    /// needs for nothing else.
    /// </remarks>
    /// <param name="count">How many names there are.</param>
    /// <param name="name">Gives them.</param>
    public static string? Repeated(int count, Func<int, string> name)
    {
        if (count > FewNames)
        {
            return RepeatedOfMany(count, name);
        }
        for (int i = 1; i < count; i++)
        {
            for (int other = 0; other < i; other++)
            {
                if (name(other) == name(i))
                {
                    return name(i);
                }
            }
        }
        return null;
    }

    private static string? RepeatedOfMany(int count, Func<int, string> name)
    {
        var seen = new HashSet<string>(count, StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            if (!seen.Add(name(i)))
            {
                return name(i);
            }
        }
        return null;
    }
}
