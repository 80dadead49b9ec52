namespace Graphene.Tests.Codegen.Llvm;

/// <summary>Small modules of LLVM IR that look like what kernels are printed as.</summary>
internal static class SampleIr
{
    /// <summary><c>y[i] = a * x[i] + y[i]</c> in vectors of eight, with a scalar tail.</summary>
    public const string Saxpy = """
        define void @saxpy(ptr noalias %x, ptr noalias %y, float %a, i64 %n) nounwind "prefer-vector-width"="512" {
        entry:
          %i = alloca i64
          %s = insertelement <8 x float> poison, float %a, i64 0
          %va = shufflevector <8 x float> %s, <8 x float> poison, <8 x i32> zeroinitializer
          %whole = and i64 %n, -8
          store i64 0, ptr %i
          br label %vector.test
        vector.test:
          %i0 = load i64, ptr %i
          %more = icmp slt i64 %i0, %whole
          br i1 %more, label %vector.body, label %tail.test
        vector.body:
          %px = getelementptr inbounds float, ptr %x, i64 %i0
          %py = getelementptr inbounds float, ptr %y, i64 %i0
          %vx = load <8 x float>, ptr %px, align 4
          %vy = load <8 x float>, ptr %py, align 4
          %r = call <8 x float> @llvm.fma.v8f32(<8 x float> %va, <8 x float> %vx, <8 x float> %vy)
          store <8 x float> %r, ptr %py, align 4
          %i1 = add nsw i64 %i0, 8
          store i64 %i1, ptr %i
          br label %vector.test
        tail.test:
          %i2 = load i64, ptr %i
          %tail.more = icmp slt i64 %i2, %n
          br i1 %tail.more, label %tail.body, label %done
        tail.body:
          %qx = getelementptr inbounds float, ptr %x, i64 %i2
          %qy = getelementptr inbounds float, ptr %y, i64 %i2
          %sx = load float, ptr %qx
          %sy = load float, ptr %qy
          %sr = call float @llvm.fma.f32(float %a, float %sx, float %sy)
          store float %sr, ptr %qy
          %i3 = add nsw i64 %i2, 1
          store i64 %i3, ptr %i
          br label %tail.test
        done:
          ret void
        }
        declare <8 x float> @llvm.fma.v8f32(<8 x float>, <8 x float>, <8 x float>)
        declare float @llvm.fma.f32(float, float, float)
        """;

    /// <summary>Sixteen floats at a time: one register with AVX-512, two with AVX2.</summary>
    public const string Wide = """
        define void @wide(ptr %x) nounwind "prefer-vector-width"="512" {
          %v = load <16 x float>, ptr %x, align 4
          %r = fadd <16 x float> %v, %v
          store <16 x float> %r, ptr %x, align 4
          ret void
        }
        """;

    /// <summary>A polynomial whose coefficients are a table in read-only data.</summary>
    public const string Polynomial = """
        @coefficients = private unnamed_addr constant [5 x double]
          [double 1.0, double 2.0, double -3.5, double 0.25, double 8.0], align 64
        define double @polynomial(double %x) nounwind {
        entry:
          br label %loop
        loop:
          %k = phi i64 [ 4, %entry ], [ %k1, %loop ]
          %sum = phi double [ 0.0, %entry ], [ %sum1, %loop ]
          %p = getelementptr inbounds double, ptr @coefficients, i64 %k
          %c = load double, ptr %p
          %m = fmul double %sum, %x
          %sum1 = fadd double %m, %c
          %k1 = add i64 %k, -1
          %end = icmp slt i64 %k1, 0
          br i1 %end, label %done, label %loop
        done:
          ret double %sum1
        }
        """;

    /// <summary>A switch that becomes a jump table in read-only data.</summary>
    public const string JumpTable = """
        define i64 @choose(i64 %which, i64 %x) nounwind {
        entry:
          switch i64 %which, label %other [
            i64 0, label %zero
            i64 1, label %one
            i64 2, label %two
            i64 3, label %three
            i64 4, label %four
          ]
        zero:
          %a = add i64 %x, 100
          ret i64 %a
        one:
          %b = mul i64 %x, %x
          ret i64 %b
        two:
          %c = sub i64 7, %x
          ret i64 %c
        three:
          %d = xor i64 %x, 255
          ret i64 %d
        four:
          %e = shl i64 %x, 3
          ret i64 %e
        other:
          ret i64 -1
        }
        """;

    /// <summary>Calls <c>memcpy</c> with a length that is not known.</summary>
    public const string Copy = """
        define void @copy(ptr %to, ptr %from, i64 %n) nounwind {
          call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %n, i1 false)
          ret void
        }
        declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
        """;

    /// <summary>Calls a function of <see cref="Callee"/>, and through its exported variable.</summary>
    public const string Caller = """
        @counter = external global i64
        @step = external constant i64
        declare i64 @twice(i64)
        define i64 @caller(i64 %x) nounwind {
          %t = call i64 @twice(i64 %x)
          %s = load i64, ptr @step
          %c = load i64, ptr @counter
          %c1 = add i64 %c, %s
          store i64 %c1, ptr @counter
          %r = add i64 %t, %c1
          ret i64 %r
        }
        """;

    /// <summary>Defines what <see cref="Caller"/> uses: a function, a constant, a variable, zeroed memory.</summary>
    public const string Callee = """
        @counter = global i64 40
        @step = constant i64 2
        @scratch = internal global [1000 x i64] zeroinitializer
        @table = internal constant [2 x ptr] [ptr @double_it, ptr @scratch]
        define internal i64 @double_it(i64 %x) nounwind noinline {
          %p = getelementptr [1000 x i64], ptr @scratch, i64 0, i64 999
          %before = load volatile i64, ptr %p
          store volatile i64 %x, ptr %p
          %d = shl i64 %x, 1
          %r = add i64 %d, %before
          ret i64 %r
        }
        define i64 @twice(i64 %x) nounwind {
          %p = load volatile ptr, ptr @table
          %r = call i64 %p(i64 %x)
          ret i64 %r
        }
        """;
}
