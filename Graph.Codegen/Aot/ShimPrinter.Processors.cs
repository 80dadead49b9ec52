using System.Globalization;
using Graphene.Codegen.Llvm;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <content>Which variant a processor can run. Only x86-64 can be asked by any program; elsewhere there is one variant.</content>
internal sealed partial class ShimPrinter
{
    // Leaves that the processor does not have read as zero.
    private const string CpuId = """
        define internal i32 @graphene_cpuid(i32 %leaf, i32 %subleaf, i32 %register) nounwind noinline {
          %range = and i32 %leaf, -2147483648
          %first = call { i32, i32, i32, i32 } asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},0,2,~{dirflag},~{fpsr},~{flags}"(i32 %range, i32 0)
          %most = extractvalue { i32, i32, i32, i32 } %first, 0
          %is_there = icmp uge i32 %most, %leaf
          br i1 %is_there, label %ask, label %none
        ask:
          %all = call { i32, i32, i32, i32 } asm sideeffect "cpuid", "={ax},={bx},={cx},={dx},0,2,~{dirflag},~{fpsr},~{flags}"(i32 %leaf, i32 %subleaf)
          %a = extractvalue { i32, i32, i32, i32 } %all, 0
          %b = extractvalue { i32, i32, i32, i32 } %all, 1
          %c = extractvalue { i32, i32, i32, i32 } %all, 2
          %d = extractvalue { i32, i32, i32, i32 } %all, 3
          %is_a = icmp eq i32 %register, 0
          %is_b = icmp eq i32 %register, 1
          %is_c = icmp eq i32 %register, 2
          %cd = select i1 %is_c, i32 %c, i32 %d
          %bcd = select i1 %is_b, i32 %b, i32 %cd
          %value = select i1 %is_a, i32 %a, i32 %bcd
          ret i32 %value
        none:
          ret i32 0
        }

        define internal i32 @graphene_saved_registers() nounwind noinline {
          %c = call i32 @graphene_cpuid(i32 1, i32 0, i32 2)
          %bit = and i32 %c, 134217728
          %can_ask = icmp ne i32 %bit, 0
          br i1 %can_ask, label %ask, label %none
        ask:
          %both = call { i32, i32 } asm sideeffect ".byte 0x0f, 0x01, 0xd0", "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}"(i32 0)
          %low = extractvalue { i32, i32 } %both, 0
          ret i32 %low
        none:
          ret i32 0
        }

        """;

    private void PrintProcessor()
    {
        bool isX64 = target.Architecture == LlvmArchitecture.X64;
        if (isX64)
        {
            _ir.Raw(CpuId);
            PrintBest();
        }
        if (target.Variants.Length > 1)
        {
            PrintVariantChoice();
        }
        _ir.Raw($"define i32 @{library}_processor_check() nounwind {{");
        if (isX64)
        {
            string best = _ir.Let($"call i32 @{library}.best()");
            _ir.ReturnIf(_ir.Let($"icmp slt i32 {best}, 0"), NativeErrorCode.Processor);
        }
        _ir.Do("ret i32 0");
        _ir.Raw("}\n");
    }

    // The last variant whose features are all there; -1 for none.
    private void PrintBest()
    {
        _ir.Raw($"define internal i32 @{library}.best() nounwind noinline {{");
        _ir.Do("%saved = call i32 @graphene_saved_registers()");
        var words = new Dictionary<(uint Leaf, uint Subleaf, int Register), string>();
        string best = "-1";
        for (int i = 0; i < target.Variants.Length; i++)
        {
            string isGood = "true";
            X64FeatureBit[] bits = [.. target.Variants[i].Machine.RequiredFeatures
                .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(f => X64Features.Find(f[1..])).OfType<X64FeatureBit>()];
            foreach (var group in bits.GroupBy(b => (b.Leaf, b.Subleaf, b.Register)))
            {
                if (!words.TryGetValue(group.Key, out string? word))
                {
                    (int leaf, var subleaf, var register) = (unchecked((int)group.Key.Leaf), group.Key.Subleaf, group.Key.Register);
                    word = _ir.Let(Text($"call i32 @graphene_cpuid(i32 {leaf}, i32 {subleaf}, i32 {register})"));
                    words.Add(group.Key, word);
                }
                isGood = And(isGood, word, group.Aggregate(0u, (mask, b) => mask | (1u << b.Bit)));
            }
            uint registers = bits.Aggregate(0u, (mask, b) => mask | b.SavedRegisters);
            isGood = registers == 0 ? isGood : And(isGood, "%saved", registers);
            best = _ir.Let($"select i1 {isGood}, i32 {i.ToString(CultureInfo.InvariantCulture)}, i32 {best}");
        }
        _ir.Do($"ret i32 {best}");
        _ir.Raw("}\n");
    }

    private string And(string condition, string word, uint mask)
    {
        string number = unchecked((int)mask).ToString(CultureInfo.InvariantCulture);
        string bits = _ir.Let($"and i32 {word}, {number}");
        string areSet = _ir.Let($"icmp eq i32 {bits}, {number}");
        return condition == "true" ? areSet : _ir.Let($"and i1 {condition}, {areSet}");
    }

    // CPUID leaves a virtual machine, which takes microseconds: the answer is kept. Every thread that asks writes the same number.
    private void PrintVariantChoice() => _ir.Raw($$"""
        @{{library}}.chosen = internal global i32 0, align 4

        define internal i32 @{{library}}.variant() nounwind {
          %known = load atomic i32, ptr @{{library}}.chosen monotonic, align 4
          %is_known = icmp ne i32 %known, 0
          br i1 %is_known, label %old, label %new
        old:
          %variant = sub i32 %known, 2
          ret i32 %variant
        new:
          %best = call i32 @{{library}}.best()
          %kept = add i32 %best, 2
          store atomic i32 %kept, ptr @{{library}}.chosen monotonic, align 4
          ret i32 %best
        }

        """);
}
