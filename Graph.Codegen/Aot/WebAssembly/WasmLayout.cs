using System.Buffers.Binary;
using System.Collections.Immutable;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>Where everything lies in a module's memory.</summary>
/// <remarks>
/// <code>
/// 0   never accessed   64 KiB   stack | context, table of buffers, constants of the code | weights | inputs | outputs | arena    end of a page
///                                                                            __heap_base ^         ^ Free
/// </code>
/// The first page is there for <see cref="WasmOffsetFolding"/>, and a stack that is too small runs into it before it
/// runs into anything else. Weights, inputs, outputs and the arena begin at multiples of 64. Without symbolic dims the
/// table is filled here, and memory never grows; with them everything from <see cref="Free"/> on is placed by the
/// loader when the dims are bound.
/// </remarks>
internal sealed class WasmLayout
{
    private const long PageInBytes = 64 * 1024;
    private const long MostBytes = 1L << 32;
    private readonly ExecutablePlan _plan;

    /// <param name="plan">The compiled graph.</param>
    /// <param name="constantBytes">The size of its constants.</param>
    /// <param name="heapBase">The end of what the linker placed.</param>
    /// <exception cref="GraphException">GR5062: it does not fit 32 bits.</exception>
    public WasmLayout(ExecutablePlan plan, long constantBytes, long heapBase)
    {
        _plan = plan;
        Weights = Aligned(heapBase);
        Free = Aligned(Weights + constantBytes);
        Addresses = [.. plan.Buffers.Select(b => b.Kind == BufferKind.Constant ? Weights + b.Offset!.Value.Value : 0)];
        long end = plan.IsStatic ? Place() : Free;
        RefuseTooLarge(plan.Name, end);
        Pages = (end + PageInBytes - 1) / PageInBytes;
    }

    /// <summary>Refuses what does not fit 32 bits.</summary>
    /// <param name="name">The graph.</param>
    /// <param name="bytes">The memory that it takes at least.</param>
    /// <exception cref="GraphException">GR5062: that is too much.</exception>
    public static void RefuseTooLarge(string name, Int128 bytes)
    {
        if (bytes > MostBytes)
        {
            throw new GraphException(
                CodegenDiagnostics.WasmTooLarge,
                $"WebAssembly: '{name}' takes {bytes} bytes of memory",
                why: $"addresses have 32 bits, which is {MostBytes} bytes",
                fix: "compile it with smaller dims, or with weights of fewer bits");
        }
    }

    /// <summary>Where the weights begin.</summary>
    public long Weights { get; }

    /// <summary>Where memory behind the weights begins.</summary>
    public long Free { get; }

    /// <summary>The pages of 64 KiB that the memory has at first.</summary>
    public long Pages { get; }

    /// <summary>The address of each buffer that is placed.</summary>
    public ImmutableArray<long> Addresses { get; private set; }

    /// <summary>The content of the table of buffers.</summary>
    public byte[] Table()
    {
        byte[] table = new byte[EntryPrinter.WordInBytes * Addresses.Length];
        for (int i = 0; i < Addresses.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(table.AsSpan(EntryPrinter.WordInBytes * i), Addresses[i]);
        }
        return table;
    }

    private long Place()
    {
        long[] addresses = [.. Addresses];
        long end = Free;
        foreach (BufferKind kind in (BufferKind[])[BufferKind.Parameter, BufferKind.Result])
        {
            for (int i = 0; i < addresses.Length; i++)
            {
                if (_plan.Buffers[i].Kind == kind)
                {
                    addresses[i] = end;
                    end = Aligned(end + _plan.Buffers[i].SizeInBytes.Value);
                }
            }
        }
        long arena = end;
        for (int i = 0; i < addresses.Length; i++)
        {
            if (_plan.Buffers[i].Kind == BufferKind.Temp)
            {
                addresses[i] = arena + _plan.Buffers[i].Offset!.Value.Value;
                end = Math.Max(end, addresses[i] + _plan.Buffers[i].SizeInBytes.Value);
            }
        }
        Addresses = [.. addresses];
        return end;
    }

    private static long Aligned(long address) => (address + NativeBlock.Alignment - 1) / NativeBlock.Alignment * NativeBlock.Alignment;
}
